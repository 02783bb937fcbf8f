import type { Tuning } from '../../../schema/api/submission.ts'
import type { Benchmark } from '../../../schema/benchmark.ts'
import type { Target } from '../../../schema/catalogue/catalogue.ts'
import { clustersOf } from '../../../schema/parts/seeding.ts'
import { lookUp } from '../../pipeline/catalogue.ts'
import { type Dropped, type LocalRun, planLocal, rowOf } from '../../pipeline/local.ts'
import { methodsOf, presetOf, type Searched, type Tuned, tunedOf } from '../../pipeline/sweep.ts'
import { doneBefore, remembering, sweepJournal } from '../../pipeline/sweep-journal.ts'
import { closerToRetrain, methods, REFERENCE } from '../../science/catalogue/catalogue.ts'
import type { Choice } from '../../science/search.ts'
import { note } from '../../terminal/output.ts'
import { plural } from '../../words/numbers.ts'
import { methodOn, runWithProgress } from './local-runs.ts'
import type { openLocal } from './local-setting.ts'

interface Asked {
  target: Target
  searches: Searched[]
  pilots: number[]
}

interface Options {
  /** How many runs go on at once. */
  jobs: number
  /** Of each; 0 shares out the processors. */
  threads: number
}

type Local = Pick<Awaited<ReturnType<typeof openLocal>>, 'context' | 'places'>

/** What came of each search, in their order. */
export async function tune(asked: Asked, options: Options, local: Local): Promise<Tuned[]> {
  const found = await measure(asked, options, local)
  const benchmark = asked.target.benchmarks[0] as Benchmark
  const outcome = { ...found, closer: closerToRetrain(benchmark), clusterOf: clustersOf(benchmark) }
  return asked.searches.map((search) => tunedOf(search, outcome))
}

/** The best setting of a method, as a row of a board. */
export interface TunedRow {
  method: string
  label: string
  params: Choice
  tuning: Tuning
}

/** Of those of which some trial came to a gap, in the order of the searches. */
export function rowsOf({ target, searches, pilots }: Asked, tuned: Tuned[]): TunedRow[] {
  return tuned.flatMap((each, at) => {
    const { method, label, trials, seconds } = each
    const params = presetOf(target.benchmarks[0] as Benchmark, each, searches[at]!.trials)
    return params ? [{ method, label, params, tuning: { trials: trials.length, pilots, seconds } }] : []
  })
}

/** Everything that is asked for, of which what was done before is read. */
async function measure(
  { target, searches, pilots }: Asked,
  { jobs, threads }: Options,
  { context, places }: Local,
): Promise<{ runs: LocalRun[]; dropped: Dropped[] }> {
  const reference = methodOn(target.benchmarks[0] as Benchmark, REFERENCE, {})
  const chosen = searches.flatMap((search) => methodsOf(search, lookUp('method', methods, search.method)))
  const plan = await planLocal(target.benchmarks, { reference, methods: chosen, seeds: pilots })
  const journal = await sweepJournal(context.store.home, target)
  const before = doneBefore(journal, plan)
  const rows = chosen.length * pilots.length * target.benchmarks.length
  note(
    `${plural(searches.length, 'method')}, ${plural(chosen.length, 'trial')}, ${plural(rows, 'run')} beside retrain.`,
  )
  if (before.runs.size + before.failed > 0) {
    const failed = before.failed > 0 ? `, ${before.failed} failed` : ''
    note(`Going on: ${plural(before.runs.size, 'run')} ${before.runs.size === 1 ? 'is' : 'are'} done${failed}.`)
  }

  return await runWithProgress(
    plan,
    { ...context, places },
    {
      target,
      jobs,
      threads,
      wrapped: (compute) => remembering(compute, journal),
      isTold(run) {
        const { key } = run.stages.at(-1)!
        if (before.runs.has(key)) return false
        const { benchmark, seed, avgGap } = run
        journal.add({ at: new Date().toISOString(), run: key, row: rowOf(run), benchmark, seed, avgGap: avgGap! })
        return true
      },
    },
  )
}
