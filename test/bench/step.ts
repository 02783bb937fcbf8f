/** Time and memory of one training step through the engine, beside the same step in PyTorch, where a Python has it, and beside the
 *  engine of another checkout, where one is named. Each is a process of its own; they take turns. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Tensor } from '../../runner/engine/onnx/tensor.ts'
import { type Tensor as StoredTensor, writeSafetensors } from '../../runner/formats/safetensors.ts'
import { BATCH, type BenchCase, cases } from './cases.ts'
import { summarize, tableOf, withRange } from './summary.ts'
import { startWorker } from './worker.ts'

/** What the ratio to PyTorch should stay below. */
const goals: Record<string, number> = { 'resnet18-64': 1.4, 'resnet18-16': 1.2, 'small-cnn': 1.2, 'small-unet': 1.5 }

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '0' },
    repeats: { type: 'string', default: '7' },
    /** Names of cases, separated by commas. */
    only: { type: 'string' },
    /** Root of another checkout, such as an older release with its packages installed. */
    beside: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const threads = Number(values.threads) || availableParallelism()
const repeats = Number(values.repeats)
const chosen = [...cases].filter(([id]) => !values.only || values.only.split(',').includes(id))
if (chosen.length === 0) throw new Error(`no case is named ${values.only}; known: ${[...cases.keys()].join(', ')}`)

const python = process.env.PALIMPSEST_PYTHON ?? 'python3'
const probe = spawnSync(python, ['-c', 'import torch'], { encoding: 'utf8' })
const withTorch = probe.status === 0
if (!withTorch) {
  console.error(
    `${python} has no PyTorch, so the engine is measured alone; PALIMPSEST_PYTHON names another Python (${(probe.error?.message ?? probe.stderr).trim().split('\n').at(-1)})`,
  )
}

const dtypes = { float32: 'F32', int64: 'I64', uint8: 'U8' } as const
const stored = ({ type, shape, data }: Tensor) =>
  ({ dtype: dtypes[type as keyof typeof dtypes], shape: [...shape], data }) as StoredTensor

const here = resolve(import.meta.dirname, '../..')
const startEngine = (id: string, root = here) =>
  startWorker(process.execPath, ['--experimental-strip-types', `${root}/test/bench/engine.ts`, id, `${threads}`])

function startTorch({ spec, feeds, steps }: BenchCase, folder: string) {
  const inputs = Object.entries(feeds(steps)).map(([name, content]) => [name, stored(content)] as const)
  writeFileSync(`${folder}/inputs.safetensors`, writeSafetensors(new Map(inputs)))
  writeFileSync(`${folder}/spec.json`, JSON.stringify(spec))
  return startWorker(python, [`${import.meta.dirname}/../golden/bench/reference.py`, folder, `${threads}`])
}

/** Both start from the same weights and see the same batches, so their first losses agree; a denoiser draws noise of its own. */
function checkLosses({ name, spec }: BenchCase, ours: number, theirs: number) {
  const tolerance = spec.model === 'ddpm-unet' ? 0.1 : 1e-3
  if (!(Math.abs(ours - theirs) <= tolerance * Math.abs(theirs)))
    throw new Error(`${name}: the first losses differ, ${ours} through the engine and ${theirs} through PyTorch`)
}

async function measure(id: string, bench: BenchCase) {
  const folder = mkdtempSync(`${tmpdir()}/palimpsest-bench-`)
  const engine = await startEngine(id)
  const torch = withTorch ? await startTorch(bench, folder) : null
  const other = values.beside === undefined ? null : await startEngine(id, resolve(values.beside))
  const workers = [engine, torch, other].filter((worker) => worker !== null)
  try {
    const warm = await engine.time(bench.steps)
    if (torch) checkLosses(bench, warm.loss, (await torch.time(bench.steps)).loss)
    if (other) checkLosses(bench, warm.loss, (await other.time(bench.steps)).loss)
    const rounds: number[][] = []
    for (let i = 0; i < repeats; i++) {
      const times = []
      for (const worker of workers) times.push((await worker.time(bench.steps)).ms)
      rounds.push(times)
      if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${bench.name}: round ${i + 1} of ${repeats}`)
    }
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
    const side = async (worker: typeof engine) => {
      const at = workers.indexOf(worker)
      return {
        runtime: worker.runtime,
        setUpMs: worker.setUpMs,
        ms: summarize(rounds.map((times) => times[at]!)),
        /** The engine's time over this one's, round by round. */
        ratio: summarize(rounds.map((times) => times[0]! / times[at]!)),
        ...(await worker.end()),
      }
    }
    return {
      id,
      name: bench.name,
      engine: await side(engine),
      torch: torch && (await side(torch)),
      other: other && (await side(other)),
    }
  } catch (error) {
    for (const worker of workers) worker.stop()
    throw error
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const results = []
for (const [id, bench] of chosen) results.push(await measure(id, bench))

if (values.json) console.log(JSON.stringify({ threads, batch: BATCH, results }, null, 2))
else {
  const { engine, torch } = results[0]!
  console.log(
    `one training step, batch ${BATCH}, ${cpus()[0]?.model}, ${threads} threads, median of ${repeats}; ${[engine.runtime, torch?.runtime].filter(Boolean).join(' beside ')}`,
  )
  const rows = results.map(({ id, name, engine, torch, other }) => [
    name,
    withRange(engine.ms, 1),
    ...(withTorch ? [torch ? withRange(torch.ms, 1) : '', torch ? withRange(torch.ratio, 2) : '', `${goals[id]}`] : []),
    ...(other ? [withRange(other.ms, 1), withRange(other.ratio, 3)] : []),
    engine.peakMiB.toFixed(0),
    ...(torch ? [torch.peakMiB.toFixed(0)] : []),
    ...(other ? [other.peakMiB.toFixed(0)] : []),
    engine.setUpMs.toFixed(0),
  ])
  const beside = values.beside === undefined ? [] : [`${values.beside} ms`, 'ratio']
  const header = [
    'model',
    'engine ms',
    ...(withTorch ? ['PyTorch ms', 'ratio', 'goal'] : []),
    ...beside,
    'engine MiB',
    ...(withTorch ? ['PyTorch MiB'] : []),
    ...beside.slice(0, 1).map((name) => name.replace(/ms$/, 'MiB')),
    'set-up ms',
  ]
  console.log(tableOf(header, rows))
}
