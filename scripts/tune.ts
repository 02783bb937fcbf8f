/** Chooses a benchmark's presets: for each method the same number of learning rates from the ranges of its paper, on a pilot
 *  seed that no board shows; the smallest Avg. Gap to retrain wins.
 *  Run: node --experimental-strip-types scripts/tune.ts <benchmark> [home] [rates, such as 0.01,0.1] */
import { availableParallelism } from 'node:os'
import { runStage } from '../runner/pipeline/run-stage.ts'
import type { MethodDefinition } from '../runner/science/method.ts'
import * as methods from '../runner/science/methods/index.ts'
import { avgGap } from '../runner/science/statistics.ts'
import { dataLoader } from '../runner/stages/data.ts'
import { openStore } from '../runner/store/store.ts'
import { benchmarks, listed } from '../schema/catalogue/catalogue.ts'
import { planRun } from '../schema/plan.ts'

const PILOT_SEED = 1000
const usual = [0.001, 0.003, 0.005, 0.007, 0.01, 0.03, 0.1]
const grids: [method: string, rates: number[], extra?: Record<string, unknown>][] = [
  ['ft', usual],
  ['ga', [0.00001, 0.0001, 0.0003, 0.001, 0.002, 0.003, 0.005]],
  ['rl', usual],
  ['l1-sparse', usual],
  ['salun', usual],
  ['salun', usual, { mask: 'random' }],
  ['salun-soft', usual],
]

const [slug = '', home = '.palimpsest', givenRates] = process.argv.slice(2)
const benchmark = benchmarks.get(slug)
if (!benchmark) throw new Error(`unknown benchmark ${slug}; known: ${listed.join(', ')}`)
const store = openStore(home)
const data = dataLoader({
  directories: (process.env.PALIMPSEST_DATA ?? '').split(':').filter(Boolean),
  cache: `${home}/datasets`,
})

async function scores(id: string, given: Record<string, unknown>): Promise<Record<string, number>> {
  const method = (methods as Record<string, MethodDefinition>)[id]!
  const params = method.params.parse({ ...benchmark!.presets[id], ...given })
  let values: Record<string, number> = {}
  for (const { spec } of await planRun(benchmark!, { id, ...method }, params, PILOT_SEED)) {
    const { result } = await runStage(spec, {
      store,
      data,
      inputs: async (key) => (await store.readStage(key))!.artifacts,
      threads: availableParallelism(),
      signal: new AbortController().signal,
      onProgress: () => {},
      log: () => {},
    })
    values = Object.fromEntries(Object.entries(result.metrics).map(([name, { value }]) => [name, value]))
  }
  return values
}

const format = (values: Record<string, number>) =>
  Object.entries(values).map(([name, value]) => `${name} ${value.toFixed(2)}`)
const reference = await scores('retrain', {})
console.log(['retrain', ...format(reference)].join('  '))
for (const [id, usualRates, extra = {}] of grids) {
  const rates = givenRates?.split(',').map(Number) ?? usualRates
  const tried: { learningRate: number; gap: number }[] = []
  for (const learningRate of rates) {
    const values = await scores(id, { ...extra, learningRate }).catch((error: Error) => error.message)
    const gap = typeof values === 'string' ? Number.POSITIVE_INFINITY : avgGap(values, reference)
    tried.push({ learningRate, gap })
    const shown = typeof values === 'string' ? [values] : format(values)
    console.log([id, JSON.stringify(extra), learningRate, ...shown, `gap ${gap.toFixed(2)}`].join('  '))
  }
  const best = tried.reduce((a, b) => (b.gap < a.gap ? b : a))
  console.log(`-> ${id} ${JSON.stringify(extra)} learningRate ${best.learningRate} (Avg. Gap ${best.gap.toFixed(2)})`)
}
