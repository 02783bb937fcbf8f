/** What this deployment knows: benchmarks, methods and metrics, all of them data in this repository but for benchmarks of the
 *  server's own. A name or value that will not do is an ApiError. */
import {
  EXAMPLE,
  isReference,
  methods,
  metricNamed,
  offersOn,
  plannable,
  REFERENCE,
  referencePlace,
  resolveParams as resolved,
} from '../../runner/science/catalogue/catalogue.ts'
import { everyFault } from '../../runner/science/catalogue/every-fault.ts'
import type { MethodDefinition } from '../../runner/science/method.ts'
import { isInAvgGap } from '../../runner/science/metric.ts'
import { noSuch } from '../../runner/words/nearest.ts'
import { type BenchmarkView, definitionIn, viewOfBenchmark } from '../../schema/api/benchmark.ts'
import type { Column } from '../../schema/api/board.ts'
import type { SuiteView } from '../../schema/api/suite.ts'
import type { Benchmark } from '../../schema/benchmark.ts'
import { benchmarks, listed, suites, suiteWith, type Target, targets } from '../../schema/catalogue/catalogue.ts'
import { type Pictured, picturedOf } from '../../schema/classes.ts'
import { ApiError, type ErrorCode } from '../../schema/errors.ts'
import type { Every } from '../../schema/stage.ts'
import type { Suite } from '../../schema/suite.ts'
import { taskNamed, taskRef } from '../../schema/task.ts'
import { ownBenchmarks } from './own-benchmarks.ts'

export {
  decimalsOf,
  methods,
  metricNamed,
  metricsOf,
  ofTwoModels,
  scienceTasks,
  titleOf,
} from '../../runner/science/catalogue/catalogue.ts'
export { limitWords } from '../../runner/science/limits.ts'
export { EXAMPLE, isReference, plannable, REFERENCE, referencePlace, suites, suiteWith }

/** Methods that every submission brings along for its seeds; a second retrain, which costs as much as the first, is asked for. */
export function referencesOf({ task }: Benchmark): string[] {
  const { references } = taskNamed(task.id)
  return [...methods].flatMap(([id, { trainsOn, draws }]) =>
    trainsOn && draws === undefined && references.includes(trainsOn) ? [id] : [],
  )
}

/** The member of that name. */
function lookUp<T>(
  code: ErrorCode,
  kind: string,
  catalogue: ReadonlyMap<string, T>,
  id: string,
  known?: Iterable<string>,
): T {
  const found = catalogue.get(id)
  if (found) return found
  throw new ApiError(code, noSuch(kind, id, catalogue.keys(), known))
}

/** Those of the release, then those of the server's own. */
export const allBenchmarks = (): BenchmarkView[] => [
  ...[...benchmarks.values()].map((benchmark) => viewOfBenchmark(benchmark, null)),
  ...ownBenchmarks().values(),
]

/** A benchmark with what its server knows of it. */
export const viewOf = (slug: string): BenchmarkView =>
  viewOfBenchmark(benchmarkOf(slug), ownBenchmarks().get(slug)?.own ?? null)

/** Undefined where none has that slug, or none has it any more. */
export const benchmarkNamed = (slug: string): Benchmark | undefined => benchmarks.get(slug) ?? ownNamed(slug)

function ownNamed(slug: string): Benchmark | undefined {
  const found = ownBenchmarks().get(slug)
  return found && definitionIn(found)
}

/** Slugs as errors list them: those that take submissions. */
const listedHere = (): string[] => [
  ...listed,
  ...[...ownBenchmarks()].flatMap(([slug, { own }]) => (own?.retired ? [] : [slug])),
]

/** With all that is the server's own among them; made only for what is not found, which is rare. */
const withOwn = <T>(catalogue: ReadonlyMap<string, T>, of: (benchmark: Benchmark) => T): ReadonlyMap<string, T> =>
  new Map([...catalogue, ...[...ownBenchmarks()].map(([slug, view]): [string, T] => [slug, of(definitionIn(view))])])

export function benchmarkOf(slug: string): Benchmark {
  if (suites.has(slug)) {
    const [first] = suiteOf(slug).benchmarks
    throw new ApiError(
      'unknown_benchmark',
      `"${slug}" is a suite of benchmarks such as "${first!.slug}": see /suites/${slug}`,
    )
  }
  const found = benchmarkNamed(slug)
  if (found) return found
  const all = withOwn(benchmarks, (benchmark) => benchmark)
  return lookUp('unknown_benchmark', 'benchmark', all, slug, listedHere())
}

export const suiteOf = (slug: string): Suite => lookUp('unknown_benchmark', 'suite', suites, slug)

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

export const targetOf = (slug: string): Target =>
  targets.get(slug) ??
  lookUp('unknown_benchmark', 'benchmark or suite', withOwn(targets, targetFrom), slug, listedHere())

const targetFrom = (benchmark: Benchmark): Target => ({
  slug: benchmark.slug,
  title: benchmark.title,
  benchmarks: [benchmark],
})

export const methodOf = (id: string): MethodDefinition => lookUp('unknown_method', 'method', methods, id)

/** What the runs of a method are called that others are shown beside. */
export const referenceName = (method: string): string => `${method}@${methodOf(method).version}`

export const picturedBy = ({ dataset }: Benchmark): Pictured | undefined => picturedOf(dataset)

/** The task of benchmarks that name none. */
const USUAL_TASK = taskRef.parse(undefined).id

/** The benchmark of the fewest epochs that a method can work on, of the usual task where it can. */
export function exampleFor(id: string): Benchmark | undefined {
  const fit = [...benchmarks.values()].filter((benchmark) => offersOn(methodOf(id), benchmark))
  const rare = ({ task }: Benchmark) => Number(task.id !== USUAL_TASK)
  return fit.sort((a, b) => rare(a) - rare(b) || a.training.epochs - b.training.epochs)[0]
}

/** A method to show how one is run on a benchmark: one that unlearns, where its task has any. */
export function exampleOn(benchmark: Benchmark): string {
  const fit = [EXAMPLE, ...methods.keys()].filter((id) => offersOn(methodOf(id), benchmark))
  return fit.find((id) => !isReference(id)) ?? REFERENCE
}

/** A submission's own values over the benchmark's preset over the method's defaults, checked. */
export function resolveParams(benchmark: Benchmark, id: string, own: Record<string, unknown>): Record<string, unknown> {
  const found = resolved(benchmark, id, own, ['params'])
  if ('values' in found) return found.values
  throw new ApiError(found.refusal.code, found.refusal.message)
}

/** The columns of a benchmark's boards. An identity that no metric carries any more keeps its column under its own name, in full,
 *  since its first word alone may be another metric's title. */
export function columnsOf({ task, metrics }: Benchmark): Omit<Column, 'measured'>[] {
  return metrics.map((identity) => {
    const [id, metric] = metricNamed(task.id, identity) ?? []
    return {
      id: id ?? identity,
      title: metric?.title ?? identity,
      unit: metric?.unit ?? '',
      identity,
      better: metric?.better ?? 'closer-to-retrain',
      inAvgGap: metric ? isInAvgGap(metric) : true,
      ofTwo: metric?.against !== undefined,
    }
  })
}

/** Refuses a run that is to be looked at along the way where it can't be. */
export function refuseLooks(benchmark: Benchmark, method: string, every: Every | undefined): void {
  const fault = everyFault(benchmark, [method], every)
  if (fault !== null) throw new ApiError('invalid_parameters', fault)
}
