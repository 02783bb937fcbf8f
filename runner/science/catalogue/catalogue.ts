/** What there is by name that needs no engine: methods and metrics, and what a benchmark makes of them. Runner and worker both read
 *  this; what a wrong name or value costs is theirs to say. */
import type { z } from 'zod'
import type { Benchmark } from '../../../schema/benchmark.ts'
import { describeIssues } from '../../../schema/issues.ts'
import type { PlannableMethod } from '../../../schema/plan.ts'
import { noSuch } from '../../words/nearest.ts'
import { idleIn } from '../acting.ts'
import { type MethodDefinition, paramsFor, requestRefusal } from '../method.ts'
import * as methodModules from '../methods/index.ts'
import { isInAvgGap, type MetricDefinition } from '../metric.ts'
import { metricNamed as namedOf } from '../score.ts'
import type { ScienceTask } from '../task.ts'
import * as taskModules from '../tasks/index.ts'

type Catalogue<T> = ReadonlyMap<string, T>

export const methods: Map<string, MethodDefinition> = new Map(Object.entries(methodModules))
/** What is measured in each task. */
export const scienceTasks: Map<string, ScienceTask> = new Map(Object.entries(taskModules))

/** The method that every score is compared with. */
export const REFERENCE = [...methods].find(
  ([, { trainsOn, draws }]) => trainsOn === 'retain' && draws === undefined,
)![0]

/** What every method begins with. */
export const ORIGINAL = [...methods].find(([, { trainsOn, draws }]) => trainsOn === 'all' && draws === undefined)![0]

/** What planning asks of a method. */
export function plannable(id: string, { version, trainsOn, draws, source }: MethodDefinition): PlannableMethod {
  const more = { ...(draws !== undefined && { draws }), ...(source !== undefined && { source }) }
  return { id, version, ...(trainsOn && { trainsOn }), ...more }
}

/** A method to give an example with. */
export const EXAMPLE = [...methods].find(([, { example }]) => example)![0]

/** Whether a method is itself a training, and so stands outside the ranking. */
export const isReference = (method: string): boolean => methods.get(method)?.trainsOn !== undefined

/** Where a reference stands among them: retrain, what else never saw D_f, the others. */
export const referencePlace = (method: string): number =>
  method === REFERENCE ? 0 : methods.get(method)?.trainsOn === 'retain' ? 1 : 2

/** The title of a method that may have been removed since. */
export const titleOf = (id: string): string => methods.get(id)?.title ?? id

type Params = z.ZodType<Record<string, unknown>>

/** Each task that a method can work on, with the parameters that it takes there. */
export const offeredBy = (method: MethodDefinition): { task: string; params: Params }[] =>
  [...scienceTasks.keys()].flatMap((task) => {
    const params = paramsFor(method, task)
    return params ? [{ task, params }] : []
  })

export const offers = (method: MethodDefinition, task: string): boolean => paramsFor(method, task) !== null

/** Whether a method can be run on a benchmark: it knows the task, and the kind of request. */
export const offersOn = (method: MethodDefinition, { task, request }: Benchmark): boolean =>
  offers(method, task.id) && requestRefusal('', method.on[task.id] ?? {}, request) === null

export const metricsOf = (task: string): Catalogue<MetricDefinition> =>
  new Map(Object.entries(scienceTasks.get(task)?.metrics ?? {}))

/** Of any task: no two metrics share an id. */
export const metricOf = (id: string): MetricDefinition | undefined =>
  [...scienceTasks.keys()].flatMap((task) => metricsOf(task).get(id) ?? [])[0]

/** Of the values of a metric, as tables write them. */
export const decimalsOf = (id: string): number => metricOf(id)?.decimals ?? 2

/** The metric that a benchmark of a task names, with its id. */
export const metricNamed = (
  task: string,
  identity: string,
): readonly [id: string, metric: MetricDefinition] | undefined =>
  namedOf(scienceTasks.get(task) ?? { metrics: {} }, identity)

/** Ids of the metrics whose gaps to retrain have a mean, Avg. Gap: those that are better the closer they are, and not beside it. */
export const closerToRetrain = (benchmark: Pick<Benchmark, 'task' | 'metrics'>): string[] =>
  benchmark.metrics.flatMap((identity) => {
    const [id, metric] = metricNamed(benchmark.task.id, identity) ?? []
    return id && isInAvgGap(metric!) ? [id] : []
  })

/** Identities of a benchmark's metrics that compare a model with retrain of the same seed, and that retrain itself has none of. */
export const ofTwoModels = ({ task, metrics }: Pick<Benchmark, 'task' | 'metrics'>): string[] =>
  metrics.filter((identity) => metricNamed(task.id, identity)?.[1].against)

export type Refusal = { code: 'unknown_method' | 'invalid_parameters'; message: string }

/** What a method takes on a benchmark. */
export function paramsOn(benchmark: Benchmark, id: string): { params: Params } | { refusal: Refusal } {
  const method = methods.get(id)
  const refused = (message: string) => ({ refusal: { code: 'unknown_method' as const, message } })
  if (!method) return refused(noSuch('method', id, methods.keys()))
  const task = benchmark.task.id
  const params = paramsFor(method, task)
  const fault = requestRefusal(id, method.on[task] ?? {}, benchmark.request)
  if (fault !== null) return refused(`${fault}; choose another method for ${benchmark.slug}`)
  if (params) return { params }
  const others = [...methods].flatMap(([other, method]) => (offersOn(method, benchmark) ? other : []))
  return refused(
    `"${id}" has nothing to offer for ${task}, which is what ${benchmark.slug} asks for; known: ${others.join(', ')}`,
  )
}

/** A submission's own values over the benchmark's preset over the method's defaults, checked. What a preset sets for another mode
 *  than the one that is asked for is let go. `place` says where they were given. */
export function resolveParams(
  benchmark: Benchmark,
  id: string,
  own: Record<string, unknown>,
  place: string[] = [],
): { values: Record<string, unknown> } | { refusal: Refusal } {
  const found = paramsOn(benchmark, id)
  if ('refusal' in found) return found
  const preset = { ...benchmark.presets[id] }
  const idle = idleIn(found.params.safeParse({ ...preset, ...own }).error)
  for (const name of idle) delete preset[name]
  const input = { ...preset, ...own }
  const { data, error } = found.params.safeParse(input)
  const refused = (message: string) => ({ refusal: { code: 'invalid_parameters' as const, message } })
  if (error) return refused(describeIssues(error, input, place))
  const fault = methods.get(id)!.on[benchmark.task.id]?.fault?.(data, benchmark) ?? null
  return fault === null ? { values: data } : refused(fault)
}
