/** Runs of this machine's own with their progress: what commands that compute a plan have in common. */
import { availableParallelism } from 'node:os'
import type { Benchmark } from '../../../schema/benchmark.ts'
import type { Target } from '../../../schema/catalogue/catalogue.ts'
import { computeApart } from '../../agent/compute-apart.ts'
import { lookUp } from '../../pipeline/catalogue.ts'
import {
  type Compute,
  type Dropped,
  type LocalMethod,
  type LocalPlan,
  type LocalRun,
  rowOf,
  runLocal,
} from '../../pipeline/local.ts'
import { runStage } from '../../pipeline/run-stage.ts'
import { methods, plannable } from '../../science/catalogue/catalogue.ts'
import type { DataPlaces } from '../../store/home.ts'
import { note } from '../../terminal/output.ts'
import { showProgress } from '../../terminal/progress.ts'
import { dropLine, runLine } from '../../terminal/report.ts'
import { stageLabel, workOf } from '../../terminal/stages.ts'
import { duration } from '../../words/numbers.ts'
import { resolveParams } from './arguments.ts'

/** A method as a benchmark's presets and the values given have it. */
export function methodOn(benchmark: Benchmark, id: string, own: Record<string, unknown>): LocalMethod {
  return { ...plannable(id, lookUp('method', methods, id)), params: resolveParams(benchmark, id, own) }
}

/** Computes what of a plan is not done, several runs at once. A method that diverges is left out, and the others go on. */
export async function runWithProgress(
  plan: LocalPlan,
  { places, ...context }: Omit<Parameters<typeof runLocal>[1], 'places'> & { places: DataPlaces },
  {
    target,
    jobs,
    threads,
    wrapped = (compute) => compute,
    isTold,
  }: {
    target: Target
    jobs: number
    /** 0 for a fair share of the processors. */
    threads: number
    wrapped?(compute: Compute): Compute
    /** Whether the line of a run is shown; `fresh` where any of its stages was computed just now. */
    isTold(run: LocalRun, done: { fresh: boolean }): boolean
  },
): Promise<{ runs: LocalRun[]; dropped: Dropped[] }> {
  const started = performance.now()
  const work = await workOf(plan.stages)
  const view = showProgress({ all: [...work.values()], done: [], jobs })
  const dropped: Dropped[] = []
  const computed = new Set<string>()
  try {
    const runs = await runLocal(
      plan,
      {
        ...context,
        places,
        threads: threads || (jobs > 1 ? Math.max(1, Math.floor(availableParallelism() / jobs)) : 0),
      },
      {
        onBegin: ({ key, spec, ...row }) =>
          view.begin({ label: stageLabel(spec, rowOf(row), row.seed), work: work.get(key)!, key }),
        onProgress: ({ key }, progress) => view.update(progress, key),
        onEnd({ key }, { reused }) {
          if (!reused) computed.add(key)
          view.end({ work: work.get(key)!, reused, key })
        },
        onFail: ({ key }) => view.drop(key),
        onRun(run) {
          const fresh = run.stages.some(({ key }) => computed.has(key))
          if (isTold(run, { fresh })) view.line(runLine(run, target))
        },
        onDrop(drop) {
          dropped.push(drop)
          view.line(dropLine(drop))
        },
      },
      { jobs, compute: wrapped(jobs > 1 ? computeApart(places) : runStage) },
    )
    view.stop()
    note(`Finished in ${duration((performance.now() - started) / 1000)}.`)
    return { runs, dropped }
  } finally {
    view.stop()
  }
}
