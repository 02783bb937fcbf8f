/** Whether a forget request, a model and a judge are made for the classes that a dataset has: what is wrong, or null. */
import type { Benchmark } from '../../schema/benchmark.ts'
import { partOf, taskNamed } from '../../schema/task.ts'

export interface Known {
  /** Names by label. */
  classes: readonly string[]
}

/** Names the classes that there are. */
export function requestFault(request: Benchmark['request'], { classes }: Known): string | null {
  if (request.kind !== 'class' || request.label < classes.length) return null
  const known = classes.map((name, label) => (name === String(label) ? name : `${label} (${name})`))
  return `the request forgets class ${request.label}, but the dataset has classes 0 to ${classes.length - 1}: ${known.join(', ')}; change request.label of the benchmark`
}

/** Where a model states another number of classes than the dataset has. `where` is its place. */
export function modelClassesFault(model: Benchmark['model'], { classes }: Known, where: string): string | null {
  if (model.classes === undefined || model.classes === classes.length) return null
  return `${where} (${model.id}) is configured for ${model.classes} classes, but the dataset has ${classes.length}; change ${where}.classes to ${classes.length} or leave it out, or choose a dataset of ${model.classes} classes`
}

/** The first fault of a benchmark, before anything is computed. */
export function classesFault({ request, model, task }: Benchmark, dataset: Known): string | null {
  const others = Object.entries(taskNamed(task.id).models?.(partOf(task)) ?? {})
  const models = [['model', model] as const, ...others.map(([where, other]) => [where, other.model] as const)]
  return (
    requestFault(request, dataset) ??
    models.map(([where, each]) => modelClassesFault(each, dataset, where)).find((fault) => fault !== null) ??
    null
  )
}
