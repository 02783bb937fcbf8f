/** A benchmark of classifiers with all its probes, as if it had asked for them: training and unlearning stay what they are. */
import { type Benchmark, benchmark as shape } from '../../../schema/benchmark.ts'
import { metricsOf } from './catalogue.ts'

/** Probes by their defaults where it says nothing of them, and the metrics that need them behind its own. Null for a benchmark whose
 *  task has no probes. */
export function withProbes(benchmark: Benchmark): Benchmark | null {
  const probes = { relearn: {}, linear: {}, ...(benchmark.task.probes as object | undefined) }
  const { data } = shape.safeParse({ ...benchmark, task: { ...benchmark.task, probes } })
  if (!data) return null
  const added = [...metricsOf(data.task.id).values()].flatMap(({ named, lacks }) =>
    lacks && lacks(data) === null ? named : [],
  )
  return { ...data, metrics: [...new Set([...benchmark.metrics, ...added])] }
}
