/** What this deployment knows: benchmarks, methods and metrics, all of them data in this repository. */
import type { z } from 'zod'
import type { MethodDefinition } from '../runner/method.ts'
import * as methodModules from '../runner/methods/index.ts'
import type { MetricDefinition } from '../runner/metric.ts'
import * as metricModules from '../runner/metrics/index.ts'
import type { Column } from '../schema/api/board.ts'
import type { Benchmark } from '../schema/benchmark.ts'
import * as benchmarkModules from '../schema/benchmarks/index.ts'
import { ApiError } from '../schema/errors.ts'
import { describeIssues } from '../schema/issues.ts'

export const benchmarks: ReadonlyMap<string, Benchmark> = new Map(Object.entries(benchmarkModules))
export const methods: ReadonlyMap<string, MethodDefinition> = new Map(Object.entries(methodModules))
export const metrics: ReadonlyMap<string, MetricDefinition> = new Map(Object.entries(metricModules))

/** The method that every score is compared with. */
export const REFERENCE = [...methods].find(([, { trainsOn }]) => trainsOn === 'retain')![0]

const known = (ids: Iterable<string>) => [...ids].sort().join(', ')

export function benchmarkOf(slug: string): Benchmark {
  const benchmark = benchmarks.get(slug)
  if (benchmark) return benchmark
  throw new ApiError('unknown_benchmark', `no benchmark "${slug}"; known are ${known(benchmarks.keys())}`)
}

export function methodOf(id: string): MethodDefinition {
  const method = methods.get(id)
  if (method) return method
  throw new ApiError('unknown_method', `no method "${id}"; known are ${known(methods.keys())}`)
}

/** The title of a method that may have been removed since. */
export const titleOf = (id: string): string => methods.get(id)?.title ?? id

/** A submission's own values over the benchmark's preset over the method's defaults, checked. */
export function resolveParams(benchmark: Benchmark, id: string, own: Record<string, unknown>): Record<string, unknown> {
  const input = { ...benchmark.presets[id], ...own }
  const parsed = methodOf(id).params.safeParse(input) as z.ZodSafeParseResult<Record<string, unknown>>
  if (parsed.success) return parsed.data
  throw new ApiError('invalid_parameters', describeIssues(parsed.error, input, ['params']))
}

/** The columns of a benchmark's boards. An identity that no metric carries any more keeps its column under its own name. */
export function columnsOf(benchmark: Benchmark): Column[] {
  return benchmark.metrics.map((identity) => {
    const [id, metric] = [...metrics].find(([, { identity: own }]) => own === identity) ?? []
    const fallback = identity.split('/')[0] ?? identity
    return {
      id: id ?? fallback,
      title: metric?.title ?? fallback.toUpperCase(),
      unit: metric?.unit ?? '',
      identity,
      better: metric?.better ?? 'closer-to-retrain',
    }
  })
}
