/** What the quickstart submits: a first few methods as they are preset, or all of them, tuned alike, with the controls that tell what
 *  a method owes to what. */
import type { Tuning } from '../../../schema/api/submission.ts'
import type { Benchmark } from '../../../schema/benchmark.ts'
import { note, print } from '../../terminal/output.ts'
import { sweptLegend, sweptTable } from '../../terminal/swept.ts'
import { checkBenchmark } from './check-benchmark.ts'
import { openLocal } from './local-setting.ts'
import { pilotsOf, searchesOf } from './searches.ts'
import { rowsOf, tune } from './tuning.ts'

export interface Entry {
  method: string
  params?: Record<string, unknown>
  label?: string
  tuning?: Tuning
}

/** In this order in the queue: retrain first, so that every later row gets its gap at once; the floor of these gaps
 *  last, since it is a training more for each seed. */
export const FIRST_ENTRIES: Entry[] = [
  { method: 'retrain' },
  { method: 'original' },
  { method: 'ft' },
  { method: 'ga' },
  { method: 'rl' },
  { method: 'l1-sparse' },
  { method: 'salun' },
  { method: 'salun', params: { mask: 'random' }, label: 'random mask' },
  { method: 'retrain-again' },
]

/** Trainings, which have nothing to tune. */
const TRAININGS = ['retrain', 'original', 'retrain-again', 'original-again']

/** SalUn without its saliency, and saliency on methods without it: does the mask help, and is it a plug-in? */
const MASKED = [
  ...['random', 'inverted', 'none'].map((mask) => `salun@mask=${mask}`),
  ...['ga', 'neggrad-plus', 'munba'].flatMap((id) => ['saliency', 'random'].map((mask) => `${id}@mask=${mask}`)),
]

interface Options {
  trials: number
  pilots: string
  jobs: number
  threads: number
  home?: string
  data?: string[]
}

/** Every method that declares what to search, and the controls: each tuned by as many trials as any other. */
export async function tunedEntries(benchmark: Benchmark, options: Options): Promise<Entry[]> {
  const { trials, jobs, threads } = options
  checkBenchmark(benchmark)
  const pilots = pilotsOf(benchmark, options.pilots)
  const searches = searchesOf(benchmark, { methods: ['all', ...MASKED].join(), trials, sampler: 'halton' })
  const { slug, title } = benchmark
  const { target, context, places, release } = await openLocal(
    { slug, title, benchmarks: [benchmark] },
    { ...options, device: 'cpu', precision: 'tf32' },
  )
  try {
    const asked = { target, searches, pilots }
    const tuned = await tune(asked, { jobs, threads }, { context, places })
    print(`${title}: tuning`)
    for (const line of [...sweptTable(tuned), ...sweptLegend(pilots)]) print(line)
    note('The best setting of each goes on the board.')
    return [...TRAININGS.map((method) => ({ method })), ...rowsOf(asked, tuned)]
  } finally {
    release()
  }
}
