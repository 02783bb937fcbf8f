/** Tries every file that corpus.py exported, each in a process of its own with limits of time and memory, and says which are
 *  trained as in PyTorch, which are refused, and why.
 *
 *      node --experimental-strip-types test/golden/exported/corpus.ts FOLDER [--only NAME,NAME] [--again] [--write]
 *
 *  Results are kept in FOLDER and not computed again, but with --again, for the models that --only names or for those that were not
 *  trained. --write makes docs/exported-models.md of them. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs, stripVTControlCharacters } from 'node:util'
import { onnxruntimeVersion } from '../../../runner/engine/onnx/session.ts'
import type { Reference, Trial } from './try-file.ts'

const SECONDS = 240
const HEAP_MIB = 4096
const ways = ['legacy', 'fixed', 'dynamic'] as const
type Way = (typeof ways)[number]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string' }, again: { type: 'boolean' }, write: { type: 'boolean' } },
})
const [folder] = positionals
if (!folder) throw new Error('expected the folder that corpus.py wrote')
const results = join(folder, 'results')
mkdirSync(results, { recursive: true })
const known = readdirSync(folder).flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -5)] : []))
const chosen = values.only?.split(',') ?? known
const resultPath = (name: string, way: Way) => join(results, `${name}.${way}.json`)
const resultOf = (name: string, way: Way): Trial | undefined =>
  existsSync(resultPath(name, way)) ? JSON.parse(readFileSync(resultPath(name, way), 'utf8')) : undefined

function attempt(name: string, way: Way): Promise<Trial> {
  const script = join(import.meta.dirname, 'try-file.ts')
  const words = ['--experimental-strip-types', `--max-old-space-size=${HEAP_MIB}`, script, folder!, name, way]
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'], timeout: SECONDS * 1000 })
  const [said, complained]: [string[], string[]] = [[], []]
  child.stdout.on('data', (part) => said.push(`${part}`))
  child.stderr.on('data', (part) => complained.push(`${part}`))
  return new Promise((resolve) =>
    child.on('close', (code, signal) => {
      const line = said.join('').trim().split('\n').at(-1)
      if (code === 0 && line) return resolve(JSON.parse(line))
      const last = complained.join('').trim().split('\n').slice(-3).join(' ')
      const why = signal === 'SIGTERM' ? `took longer than ${SECONDS} s` : `ended with ${signal ?? code}: ${last}`
      resolve({ state: 'failed', message: why })
    }),
  )
}

for (const name of chosen) {
  for (const way of ways) {
    const before = resultOf(name, way)
    const settled = before && (!values.again || (!values.only && before.state === 'trained'))
    if (settled) continue
    const trial = await attempt(name, way)
    writeFileSync(resultPath(name, way), `${JSON.stringify(trial)}\n`)
    const { state, message, gradient } = trial
    console.log(`${name} ${way}: ${state}${gradient === undefined ? '' : ` ${gradient.toExponential(0)}`} ${message}`)
  }
}

const references = known.map((name): Reference => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')))
const totals = ways.map((way) => {
  const states = references.map(({ name }) => resultOf(name, way)?.state)
  return { way, trained: states.filter((state) => state === 'trained').length, of: references.length }
})
console.log(totals.map(({ way, trained, of }) => `${way}: ${trained} of ${of} trained`).join(', '))
if (values.write) writeFileSync(join(import.meta.dirname, '../../../docs/exported-models.md'), page())

function cellOf(trial: Trial | undefined): string {
  if (!trial) return 'not tried'
  const { state, message, gradient = 0, rounding } = trial
  const alone = rounding === undefined ? '' : ` (rounding moves it by ${rounding.toExponential(0)})`
  if (state === 'trained') return `trained, ${gradient.toExponential(0)}${alone}`
  // Exporters colour their messages and go on for lines.
  const plain = stripVTControlCharacters(message).split('\n')[0]!.slice(0, 160)
  return `${state}: ${plain.replaceAll('|', '\\|')}`
}

function page(): string {
  const [{ made }] = references as [Reference]
  const rows = references.map(({ name, from, side, parameters, ways: exports }) => {
    const cells = ways.map((way) => cellOf(exports[way] && resultOf(name, way)))
    return `| ${name} | ${from} | ${side} | ${(parameters / 1e6).toFixed(1)} | ${cells.join(' | ')} |`
  })
  const reached = totals.map(({ way, trained, of }) => `${way} ${trained} of ${of}`).join(', ')
  return `# Exported classifiers

Classifiers with random weights, exported by PyTorch, read from the file, and trained for a step. ${reached}.

Made by \`test/golden/exported/corpus.py\` (${made}) and \`test/golden/exported/corpus.ts\` (onnxruntime ${onnxruntimeVersion()}), not by
\`npm run docs\`: it takes hours and a Python.

*legacy* is \`torch.onnx.export(model, example, path, dynamo=False, opset_version=17, training=TrainingMode.PRESERVE,
do_constant_folding=False, dynamic_axes=…)\`. *fixed* is \`torch.onnx.export(model, (example,), path)\` for a batch of one, *dynamic* the
same with \`dynamic_shapes=({0: Dim("batch")},)\`; both write the weights into a file beside.

*trained* means: the logits of a batch of 8 are PyTorch's to 1e-4, every tensor that comes of a learned one trains, no other does, and
no gradient of a tensor is further from PyTorch's than the number behind, relative to its norm. That is below 1e-4, or explained by
rounding, which then stands beside it: what PyTorch's own single precision is off by, or how far the gradient moves here when pixels
move by three millionths, since a rectifier near its kink jumps. Batch norm trains by statistics of the batch where the file keeps it. Where
the exporter merged it into weights, the merged weights train, and their gradients are compared.

| model | from | side | million parameters | legacy | fixed | dynamic |
|---|---|---|---|---|---|---|
${rows.join('\n')}
`
}
