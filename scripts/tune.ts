/** Chooses a benchmark's presets: for each method seven choices, mostly learning rates from the ranges of its paper, on a pilot
 *  seed that no board shows; the smallest Avg. Gap to retrain wins.
 *  Run: node --experimental-strip-types scripts/tune.ts <benchmark> [--home .palimpsest] [--methods ft,rl] [--rates 0.01,0.1] */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { runStage } from '../runner/pipeline/run-stage.ts'
import { closerToRetrain } from '../runner/science/catalogue/catalogue.ts'
import { avgGapOf } from '../runner/science/comparison.ts'
import { type MethodDefinition, paramsFor } from '../runner/science/method.ts'
import * as methods from '../runner/science/methods/index.ts'
import { dataLoader } from '../runner/stages/data.ts'
import { openStore } from '../runner/store/store.ts'
import { benchmarks, listed } from '../schema/catalogue/catalogue.ts'
import { planRun } from '../schema/plan.ts'
import type { StageResult } from '../schema/result.ts'

const { positionals, values: options } = parseArgs({
  allowPositionals: true,
  options: { home: { type: 'string', default: '.palimpsest' }, methods: { type: 'string' }, rates: { type: 'string' } },
})
const [slug = ''] = positionals
const benchmark = benchmarks.get(slug)
if (!benchmark) throw new Error(`unknown benchmark ${slug}; known: ${listed.join(', ')}`)
const closer = closerToRetrain(benchmark)
if (closer.length === 0) throw new Error(`${slug}: none of its metrics is better the closer it is to retrain`)
const only = options.methods?.split(',')
const given = options.rates?.split(',').map(Number)

const PILOT_SEED = 1000
type Choice = Record<string, unknown>
const each = (name: string, values: readonly number[], beside: Choice = {}): Choice[] =>
  values.map((value) => ({ ...beside, [name]: value }))
const rates = (usual = [0.001, 0.003, 0.005, 0.007, 0.01, 0.03, 0.1], beside: Choice = {}) =>
  each('learningRate', given ?? usual, beside)
const grids: [method: string, choices: Choice[]][] = [
  ['ft', rates()],
  ['ga', rates([0.00001, 0.0001, 0.0003, 0.001, 0.002, 0.003, 0.005])],
  ['rl', rates()],
  ['l1-sparse', rates()],
  ['salun', rates()],
  ['salun', rates(undefined, { mask: 'random' })],
  ['salun-soft', rates()],
  ['neggrad-plus', each('beta', [0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 0.999])],
  ['scrub', rates([0.0001, 0.0003, 0.0005, 0.001, 0.003, 0.005, 0.01])],
  ['ssd', each('alpha', [1, 2, 5, 10, 20, 50, 100])],
  ['fast-retrain', rates([0.01, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5])],
  ['salun-noise', rates()],
  ['amun', rates()],
  ['munba', rates([0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1])],
  ['sfr-on', each('alpha', [5, 10, 25, 50, 100, 200, 400])],
  ['lotus', rates([0.0001, 0.0003, 0.001, 0.002, 0.003, 0.005, 0.01])],
  ['delete', rates([0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01])],
  ['negmerge', each('scale', [0.2, 0.4, 0.6, 0.8, 1, 1.5, 2])],
]

const store = openStore(options.home)
const data = dataLoader({
  directories: (process.env.PALIMPSEST_DATA ?? '').split(':').filter(Boolean),
  cache: `${options.home}/datasets`,
})

async function scores(id: string, choice: Choice): Promise<Record<string, number>> {
  const method = (methods as Record<string, MethodDefinition>)[id]!
  const params = paramsFor(method, benchmark!.task.id)!.parse({ ...benchmark!.presets[id], ...choice })
  let values: Record<string, number> = {}
  const made = new Map<string, StageResult['artifacts']>()
  for (const { key, spec } of await planRun(benchmark!, { id, ...method }, params, PILOT_SEED)) {
    const { result } = await runStage(spec, {
      store,
      data,
      inputs: async (key) => made.get(key)!,
      metrics: benchmark!.metrics,
      threads: availableParallelism(),
      signal: new AbortController().signal,
      onProgress: () => {},
      log: () => {},
    })
    made.set(key, result.artifacts)
    values = Object.fromEntries(Object.entries(result.metrics).map(([name, { value }]) => [name, value]))
  }
  return values
}

const format = (values: Record<string, number>) =>
  Object.entries(values).map(([name, value]) => `${name} ${value.toFixed(2)}`)
const reference = await scores('retrain', {})
console.log(['retrain', ...format(reference)].join('  '))
for (const [id, choices] of grids) {
  if (only && !only.includes(id)) continue
  const tried: { choice: Choice; gap: number }[] = []
  for (const choice of choices) {
    const values = await scores(id, choice).catch((error: Error) => error.message)
    const gap = typeof values === 'string' ? Number.POSITIVE_INFINITY : avgGapOf(values, reference, closer)!
    tried.push({ choice, gap })
    const shown = typeof values === 'string' ? [values] : format(values)
    console.log([id, JSON.stringify(choice), ...shown, `gap ${gap.toFixed(2)}`].join('  '))
  }
  const best = tried.reduce((a, b) => (b.gap < a.gap ? b : a))
  console.log(`-> ${id} ${JSON.stringify(best.choice)} (Avg. Gap ${best.gap.toFixed(2)})`)
}
