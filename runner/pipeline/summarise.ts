/** Runs of one machine in few numbers: mean and spread over seeds, and before it the mean over the classes of a suite. */
import { gapOfMeans } from '../science/comparison.ts'
import { mean, type Spread, spreadOver } from '../science/statistics.ts'
import { type LocalRun, rowOf } from './local.ts'

export interface LocalSummary {
  method: string
  variant?: string | undefined
  /** A value of two models has no gap. */
  metrics: Record<string, Spread & { gap: number | null }>
  avgGap: Spread | null
  /** The mean over the benchmarks. */
  gapOfMeans: number | null
  seconds: Spread
  fractionOfRetrain: Spread | null
}

/** Mean and spread over the seeds of one row, or over the clusters of these; of several benchmarks, over what a seed came to on
 *  average. */
export function summarise(
  row: string,
  all: LocalRun[],
  closerToRetrain: string[],
  clusterOf: (seed: number) => number = (seed) => seed,
): LocalSummary {
  const own = all.filter((run) => rowOf(run) === row)
  const parts = [...Map.groupBy(own, ({ benchmark }) => benchmark).values()]
  const runs = parts.length > 1 ? averaged(own) : own
  const ofMeans = parts.map((part) =>
    gapOfMeans(
      part.map(({ seed, metrics, retrain }) => ({ values: metrics, retrain, cluster: clusterOf(seed) })),
      closerToRetrain,
    ),
  )
  type Run = (typeof runs)[number]
  const known = (value: (run: Run) => number | null) => spreadOver(runs, ({ seed }) => clusterOf(seed), value)
  const over = (value: (run: Run) => number) => known(value)!
  const ids = Object.keys(runs[0]!.metrics)
  const { method, variant } = own[0]!
  return {
    method,
    ...(variant !== undefined && { variant }),
    metrics: Object.fromEntries(
      ids.map((id) => [
        id,
        {
          ...over(({ metrics }) => metrics[id]!),
          gap: known(({ gaps }) => gaps[id] ?? null)?.mean ?? null,
        },
      ]),
    ),
    avgGap: known((run) => run.avgGap),
    gapOfMeans: whole(ofMeans),
    seconds: over((run) => run.seconds),
    fractionOfRetrain: known((run) => run.fractionOfRetrain),
  }
}

/** The mean, or null where one is missing. */
const whole = (values: (number | null)[]): number | null => {
  const found = values.filter((value) => value !== null)
  return found.length === values.length ? mean(found) : null
}

/** One run a method and seed: the mean over the classes of a suite. Gaps of classes do not cancel out in `avgGap`. */
export function averaged(runs: LocalRun[]): Omit<LocalRun, 'benchmark' | 'stages'>[] {
  return [...Map.groupBy(runs, (run) => `${rowOf(run)} ${run.seed}`).values()].map((parts) => {
    const [first] = parts as [LocalRun]
    const over = (value: (run: LocalRun) => number) => mean(parts.map(value))
    const each = (values: 'metrics' | 'retrain' | 'gaps') =>
      Object.fromEntries(Object.keys(first[values]).map((id) => [id, over((run) => run[values][id]!)]))
    const seconds = over((run) => run.seconds)
    const ofRetrain = parts.flatMap((run) => (run.fractionOfRetrain ? run.seconds / run.fractionOfRetrain : []))
    return {
      method: first.method,
      variant: first.variant,
      seed: first.seed,
      metrics: each('metrics'),
      retrain: each('retrain'),
      gaps: each('gaps'),
      avgGap: whole(parts.map((run) => run.avgGap)),
      seconds,
      mask: whole(parts.map(({ mask }) => mask)),
      fractionOfRetrain: ofRetrain.length === parts.length ? seconds / mean(ofRetrain) : null,
      deviceClass: first.deviceClass,
    }
  })
}
