/** What this deployment knows: benchmarks, methods and metrics, all of them data in this repository. */
import type { z } from 'zod'
import { type MethodDefinition, paramsFor } from '../../runner/science/method.ts'
import * as methodModules from '../../runner/science/methods/index.ts'
import type { MetricDefinition } from '../../runner/science/metric.ts'
import * as metricModules from '../../runner/science/tasks/classification/metrics/index.ts'
import {
  type GenerationMetricDefinition,
  generationMetricNamed,
} from '../../runner/science/tasks/generation/evidence.ts'
import * as generationMetricModules from '../../runner/science/tasks/generation/metrics/index.ts'
import type { Column } from '../../schema/api/board.ts'
import type { SuiteView } from '../../schema/api/suite.ts'
import { type Benchmark, taskOf } from '../../schema/benchmark.ts'
import { benchmarks, listed, suites, suiteWith, type Target, targets } from '../../schema/catalogue/catalogue.ts'
import { type Pictured, pictured } from '../../schema/classes.ts'
import { ApiError } from '../../schema/errors.ts'
import { describeIssues } from '../../schema/issues.ts'
import type { Suite } from '../../schema/suite.ts'

export { benchmarks, suites, suiteWith }
export const methods: ReadonlyMap<string, MethodDefinition> = new Map(Object.entries(methodModules))
export const metrics: ReadonlyMap<string, MetricDefinition> = new Map(Object.entries(metricModules))

export const generationMetrics: ReadonlyMap<string, GenerationMetricDefinition> = new Map(
  Object.entries(generationMetricModules),
)

/** The method that every score is compared with. */
export const REFERENCE = [...methods].find(([, { trainsOn }]) => trainsOn === 'retain')![0]

/** Whether a method is itself a training, and so stands outside the ranking. */
export const isReference = (method: string): boolean => methods.get(method)?.trainsOn !== undefined

/** Methods that every submission brings along for its seeds: retrain, and where images are compared by eye the original too. */
export const referencesOf = ({ generation }: Benchmark): string[] =>
  [...methods].flatMap(([id, { trainsOn }]) => (id === REFERENCE || (generation && trainsOn) ? [id] : []))

const known = (ids: Iterable<string>) => [...ids].sort().join(', ')

export function benchmarkOf(slug: string): Benchmark {
  const benchmark = benchmarks.get(slug)
  if (benchmark) return benchmark
  if (suites.has(slug)) {
    const [first] = suiteOf(slug).benchmarks
    throw new ApiError(
      'unknown_benchmark',
      `"${slug}" is a suite of benchmarks such as "${first!.slug}": see /suites/${slug}`,
    )
  }
  throw new ApiError('unknown_benchmark', `no benchmark "${slug}"; known are ${listed.join(', ')}`)
}

export function suiteOf(slug: string): Suite {
  const suite = suites.get(slug)
  if (suite) return suite
  throw new ApiError('unknown_benchmark', `no suite "${slug}"; known are ${known(suites.keys())}`)
}

/** A suite with the names of its classes. */
export const describeSuite = ({ slug, title, summary, benchmarks }: Suite): SuiteView => ({
  slug,
  title,
  summary,
  classes: benchmarks.flatMap((benchmark) => {
    const { request } = benchmark
    if (request.kind !== 'class') return []
    const name = picturedBy(benchmark)?.classes[request.label] ?? `class ${request.label}`
    return [{ label: request.label, name, benchmark: benchmark.slug }]
  }),
})

export function targetOf(slug: string): Target {
  const target = targets.get(slug)
  if (target) return target
  throw new ApiError('unknown_benchmark', `no benchmark or suite "${slug}"; known are ${listed.join(', ')}`)
}

export function methodOf(id: string): MethodDefinition {
  const method = methods.get(id)
  if (method) return method
  throw new ApiError('unknown_method', `no method "${id}"; known are ${known(methods.keys())}`)
}

/** The title of a method that may have been removed since. */
export const titleOf = (id: string): string => methods.get(id)?.title ?? id

/** What is known of a dataset's images; undefined for a user's own. */
export const picturedBy = ({ dataset }: Benchmark): Pictured | undefined =>
  (pictured as Record<string, Pictured>)[dataset.id]

/** The parameters that a method takes on a benchmark. */
function paramsOf(benchmark: Benchmark, id: string): z.ZodType<Record<string, unknown>> {
  const task = taskOf(benchmark)
  const params = paramsFor(methodOf(id), task)
  if (params) return params
  const offered = [...methods].flatMap(([other, method]) => (paramsFor(method, task) ? other : []))
  throw new ApiError('unknown_method', `"${id}" has nothing to offer for ${task}; known are ${known(offered)}`)
}

/** The benchmark of the fewest epochs that a method can work on, of classifiers where it can. */
export function exampleFor(id: string): Benchmark | undefined {
  const fit = [...benchmarks.values()].filter((benchmark) => paramsFor(methodOf(id), taskOf(benchmark)))
  const cost = ({ generation, training }: Benchmark) => (generation ? 1e6 : 0) + training.epochs
  return fit.sort((a, b) => cost(a) - cost(b))[0]
}

/** A submission's own values over the benchmark's preset over the method's defaults, checked. */
export function resolveParams(benchmark: Benchmark, id: string, own: Record<string, unknown>): Record<string, unknown> {
  const input = { ...benchmark.presets[id], ...own }
  const parsed = paramsOf(benchmark, id).safeParse(input)
  if (parsed.success) return parsed.data
  throw new ApiError('invalid_parameters', describeIssues(parsed.error, input, ['params']))
}

/** A metric as a benchmark names it, with its id. */
const metricNamed = (benchmark: Benchmark, identity: string) =>
  taskOf(benchmark) === 'generation'
    ? generationMetricNamed(generationMetrics, identity)
    : [...metrics].find(([, { identity: own }]) => own === identity)

/** The columns of a benchmark's boards. An identity that no metric carries any more keeps its column under its own name; that of a
 *  metric of generated images is given in full, since its first word alone may be another metric's title. */
export function columnsOf(benchmark: Benchmark): Omit<Column, 'measured'>[] {
  return benchmark.metrics.map((identity) => {
    const [id, metric] = metricNamed(benchmark, identity) ?? []
    const fallback = benchmark.generation ? identity : (identity.split('/')[0] ?? identity)
    return {
      id: id ?? fallback,
      title: metric?.title ?? (benchmark.generation ? fallback : fallback.toUpperCase()),
      unit: metric?.unit ?? '',
      identity,
      better: metric?.better ?? 'closer-to-retrain',
    }
  })
}
