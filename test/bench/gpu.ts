/** SalUn on ResNet-18 at the reference recipe, through the engine and through PyTorch, each in a process of its own, one after the
 *  other on one device: seconds per epoch and memory. Images are made up, since time does not depend on what they show. */
import { spawn, spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { tableOf } from './summary.ts'

const { values } = parseArgs({
  options: {
    device: { type: 'string', default: 'cuda' },
    images: { type: 'string', default: '45000' },
    forget: { type: 'string', default: '4500' },
    epochs: { type: 'string', default: '10' },
    batch: { type: 'string', default: '256' },
    width: { type: 'string', default: '64' },
    threads: { type: 'string', default: '0' },
    json: { type: 'boolean', default: false },
  },
})
if (values.device !== 'cuda' && values.device !== 'cpu')
  throw new Error(`--device: expected cuda or cpu, got "${values.device}"`)

const spec = {
  device: values.device as 'cuda' | 'cpu',
  images: Number(values.images),
  forget: Number(values.forget),
  epochs: Number(values.epochs),
  batch: Number(values.batch),
  width: Number(values.width),
  threads: Number(values.threads) || availableParallelism(),
  seed: 0,
}
export type SalunSpec = typeof spec

const measured = z.object({
  runtime: z.string(),
  device: z.string(),
  mask: z.number(),
  epochs: z.array(z.number()).min(1),
  peakMiB: z.number(),
})
const python = process.env.PALIMPSEST_PYTHON ?? 'python3'
const reference = [python, `${import.meta.dirname}/../golden/bench/salun.py`]
const sides = {
  'engine (Node, onnxruntime)': [process.execPath, '--experimental-strip-types', `${import.meta.dirname}/salun.ts`],
  'PyTorch, eager': [...reference, 'eager'],
  'PyTorch, channels-last, bfloat16, compiled': [...reference, 'compiled'],
}

/** Device memory held by a process and its children, in MiB; null where nvidia-smi has nothing to say. */
function deviceMemory(): number | null {
  const words = ['--query-gpu=memory.used', '--format=csv,noheader,nounits']
  const { status, stdout } = spawnSync('nvidia-smi', words, { encoding: 'utf8' })
  return status === 0 ? Number.parseInt(stdout, 10) : null
}

async function run([command, ...words]: string[]) {
  const child = spawn(command!, [...words, JSON.stringify(spec)], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, errors] = ['', '']
  child.stdout.on('data', (text) => {
    out += text
  })
  child.stderr.on('data', (text) => {
    errors += text
  })
  const before = deviceMemory() ?? 0
  let peak = 0
  const watch =
    spec.device === 'cuda' &&
    setInterval(() => {
      peak = Math.max(peak, (deviceMemory() ?? 0) - before)
    }, 500)
  const code = await new Promise<number | null>((done) => {
    child.once('close', done)
    child.once('error', ({ message }) => {
      errors = message
      done(null)
    })
  })
  if (watch) clearInterval(watch)
  if (code !== 0) return { failed: errors.trim().split('\n').at(-1) ?? `ended with code ${code}` }
  return { ...measured.parse(JSON.parse(out.trim().split('\n').at(-1)!)), devicePeakMiB: peak }
}

const results = []
for (const [name, command] of Object.entries(sides)) {
  process.stderr.write(`${name}...\n`)
  results.push({ name, ...(await run(command)) })
}
if (values.json) console.log(JSON.stringify({ spec, results }, null, 2))
else {
  /** The first epoch also compiles. */
  const settled = (epochs: number[]) => {
    const rest = epochs.length > 1 ? epochs.slice(1) : epochs
    return rest.toSorted((a, b) => a - b)[Math.floor(rest.length / 2)]!
  }
  const { images, forget, batch, epochs, width } = spec
  console.log(
    `SalUn, ResNet-18 width ${width}, ${images} images, ${forget} to forget, batch ${batch}, ${epochs} epochs, ${spec.device}`,
  )
  console.log(
    tableOf(
      ['executor', 'runtime', 'device', 'mask s', 'first epoch s', 'epoch s', 'memory MiB'],
      results.map((result) =>
        'failed' in result
          ? [result.name, result.failed!, '', '', '', '', '']
          : [
              result.name,
              result.runtime,
              result.device,
              result.mask.toFixed(2),
              result.epochs[0]!.toFixed(2),
              settled(result.epochs).toFixed(2),
              (result.devicePeakMiB || result.peakMiB).toFixed(0),
            ],
      ),
    ),
  )
}
