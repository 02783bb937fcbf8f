/** What metrics are handed beside evidence: a support vector classifier, products by the engine, and orders that are the same on
 *  every machine. */
import type { Progress } from '../../schema/result.ts'
import type { MetricTools, Shuffle } from '../science/metric.ts'
import { METRIC_SEED, metricPurpose, shuffleOf } from '../science/stream.ts'
import { openLinearAlgebra } from './linear-algebra.ts'
import { randomStream } from './nn/random.ts'
import { svcWith } from './svc.ts'

export interface OpenTools extends MetricTools {
  shuffles(purpose: string): Shuffle
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
    shuffles: (purpose) => shuffleOf(randomStream(METRIC_SEED, metricPurpose(purpose))),
  }
}
