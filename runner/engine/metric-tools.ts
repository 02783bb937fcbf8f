/** What metrics are handed beside evidence: a support vector classifier, products by the engine, and orders that are the same on
 *  every machine. */
import type { Progress } from '../../schema/result.ts'
import type { MetricTools } from '../science/metric.ts'
import { openLinearAlgebra } from './linear-algebra.ts'
import { randomStream } from './nn/random.ts'
import { svcWith } from './svc.ts'

export interface OpenTools extends MetricTools {
  release(): Promise<void>
}

export function openMetricTools(
  options: { threads?: number; signal?: AbortSignal; onProgress?: (progress: Progress) => void } = {},
): OpenTools {
  const { multiply, release } = openLinearAlgebra(options)
  return {
    fitSvc: svcWith(options.onProgress ?? (() => {})),
    multiply,
    release,
    shuffles(purpose) {
      // No seed of a run: a metric is a function of its evidence alone.
      const random = randomStream(0, `metrics/${purpose}`)
      return (count) => random.shuffle(Int32Array.from(Array(count).keys()))
    },
  }
}
