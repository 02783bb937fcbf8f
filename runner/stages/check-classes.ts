/** Whether a forget request, a model and a judge are made for the classes that a dataset has. */
import type { Benchmark } from '../../schema/benchmark.ts'
import type { ForgetRequest, ModelRef } from '../../schema/parts/recipe.ts'
import { partOf, taskNamed } from '../../schema/task.ts'
import { ConfigurationError } from './configuration-error.ts'

interface Known {
  /** Names by label. */
  classes: readonly string[]
}

/** Throws ConfigurationError for a class that there is not, and names those that there are. */
export function checkRequest(request: ForgetRequest, { classes }: Known): void {
  if (request.kind !== 'class' || request.label < classes.length) return
  const known = classes.map((name, label) => (name === String(label) ? name : `${label} (${name})`))
  throw new ConfigurationError(
    `the request forgets class ${request.label}, but the dataset has classes 0 to ${classes.length - 1}: ${known.join(', ')}; change request.label of the benchmark`,
  )
}

/** Throws ConfigurationError where a model states another number of classes than the dataset has. `where` is its place. */
export function checkModelClasses(model: ModelRef, { classes }: Known, where: string): void {
  if (model.classes === undefined || model.classes === classes.length) return
  throw new ConfigurationError(
    `${where} (${model.id}) is configured for ${model.classes} classes, but the dataset has ${classes.length}; change ${where}.classes to ${classes.length} or leave it out, or choose a dataset of ${model.classes} classes`,
  )
}

/** All of a benchmark at once, before anything is computed. */
export function checkClasses({ request, model, task }: Benchmark, dataset: Known): void {
  checkRequest(request, dataset)
  checkModelClasses(model, dataset, 'model')
  const others = taskNamed(task.id).models?.(partOf(task)) ?? {}
  for (const [where, { model: other }] of Object.entries(others)) checkModelClasses(other, dataset, where)
}
