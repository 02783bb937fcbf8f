/** What is wrong with a benchmark beyond its shape, told before anything is loaded: by a command, and by a server that is sent one. */
import { z } from 'zod'
import type { Benchmark } from '../../../schema/benchmark.ts'
import { picturedOf } from '../../../schema/classes.ts'
import { describeIssues } from '../../../schema/issues.ts'
import { planRun } from '../../../schema/plan.ts'
import { partOf, taskNamed } from '../../../schema/task.ts'
import { noSuch } from '../../words/nearest.ts'
import { sizeFault } from '../class-fault.ts'
import { parametersOf } from '../parameters.ts'
import { methods, metricNamed, metricsOf, paramsOn, plannable, REFERENCE, scienceTasks } from './catalogue.ts'

export interface Knows {
  /** Ids of datasets. */
  datasets: Iterable<string>
  /** What a benchmark of a task can name as its model, by id. */
  architectures(task: string): Readonly<Record<string, { params: z.ZodType }>>
}

/** In words, with its place; null where nothing is. */
export function benchmarkFault(benchmark: Benchmark, knows: Knows): string | null {
  const { slug, dataset, task } = benchmark
  const known = [...knows.datasets]
  if (!known.includes(dataset.id)) return noSuch('dataset', dataset.id, known)
  for (const { task: of, model } of modelsOf(benchmark)) {
    const fault = modelFault(of, model, knows)
    if (fault !== null) return fault
  }
  for (const id of Object.keys(benchmark.presets)) {
    const fault = presetFault(benchmark, id)
    if (fault !== null) return fault
  }
  const images = picturedOf(dataset)
  const short = images && sizeFault(benchmark, images)
  if (short) return short
  const strange = benchmark.metrics.find((identity) => !measurableOn(benchmark).includes(identity))
  if (strange === undefined) return null
  const lacking = metricNamed(task.id, strange)?.[1].lacks?.(benchmark)
  if (lacking) return `metrics: ${strange} ${lacking}`
  return noSuch(`metric of ${slug} (${task.id})`, strange, measurableOn(benchmark))
}

/** Whether its stages can be named: numbers may be fine for a benchmark and too large for a stage. */
export async function planFault(benchmark: Benchmark): Promise<string | null> {
  const reference = plannable(REFERENCE, methods.get(REFERENCE)!)
  try {
    for (const seed of benchmark.seeds) await planRun(benchmark, reference, {}, seed)
    return null
  } catch (error) {
    return `its stages cannot be planned: ${error instanceof z.ZodError ? describeIssues(error, undefined) : (error as Error).message}`
  }
}

const measurableOn = (benchmark: Benchmark): string[] =>
  scienceTasks.get(benchmark.task.id)?.measurable?.(benchmark) ??
  [...metricsOf(benchmark.task.id).values()].flatMap(({ named, lacks }) => (lacks?.(benchmark) ? [] : named))

/** Its own model, then others that it names, each with the task that it is of. */
export const modelsOf = ({ task, model }: Benchmark): { task: string; model: Benchmark['model'] }[] => [
  { task: task.id, model },
  ...Object.values(taskNamed(task.id).models?.(partOf(task)) ?? {}),
]

function modelFault(task: string, { id, params }: Benchmark['model'], { architectures }: Knows): string | null {
  const known = new Map(Object.entries(architectures(task)))
  const found = known.get(id)
  if (!found) return noSuch(`model for ${task}`, id, known.keys())
  const issues = found.params.safeParse(params).error?.issues ?? []
  if (issues.length === 0) return null
  return `model ${id}: ${issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`
}

/** A preset of a misspelt name would never be used, and nobody would know. */
function presetFault(benchmark: Benchmark, id: string): string | null {
  const preset = benchmark.presets[id]!
  if (!methods.has(id)) return `presets: ${noSuch('method', id, methods.keys())}`
  const found = paramsOn(benchmark, id)
  if ('refusal' in found) return `presets.${id}: ${found.refusal.message}`
  const known = parametersOf(found.params).map(({ name }) => name)
  const strange = Object.keys(preset).find((name) => !known.includes(name))
  if (strange !== undefined) return `presets.${id}: ${noSuch(`parameter of ${id}`, strange, known)}`
  // What a method must be given besides may come with the submission.
  const issues = found.params.safeParse(preset).error?.issues.filter(({ path }) => String(path[0]) in preset) ?? []
  return issues.length > 0 ? describeIssues({ issues } as z.core.$ZodError, preset, ['presets', id]) : null
}
