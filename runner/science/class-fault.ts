/** Whether a forget request, a model and a judge are made for the classes that a dataset has: what is wrong, or null. */
import type { Benchmark } from '../../schema/benchmark.ts'
import { forgottenClasses } from '../../schema/parts/request.ts'
import { splitCounts } from '../../schema/parts/split-counts.ts'
import { partOf, taskNamed } from '../../schema/task.ts'

export interface Known {
  /** Names by label. */
  classes: readonly string[]
}

/** Names the classes that there are. */
export function requestFault(request: Benchmark['request'], { classes }: Known): string | null {
  const strange = labelsOf(request).find(({ label }) => label >= classes.length)
  if (strange) {
    const known = classes.map((name, label) => (name === String(label) ? name : `${label} (${name})`))
    return `the request forgets class ${strange.label}, but the dataset has classes 0 to ${classes.length - 1}: ${known.join(', ')}; change ${strange.place} of the benchmark`
  }
  if (forgottenClasses(request).length < classes.length) return null
  return `the request forgets all ${classes.length} classes of the dataset, and nothing is left to retain; take one out of request.labels of the benchmark`
}

function labelsOf(request: Benchmark['request']): { label: number; place: string }[] {
  if (request.kind === 'class' || request.kind === 'part') return [{ label: request.label, place: 'request.label' }]
  if (request.kind !== 'classes') return []
  return request.labels.map((label) => ({ label, place: 'request.labels' }))
}

/** What a dataset that is known without its images can't give: fewer of them than a request names. */
export function sizeFault(
  { request, training: { holdOut } }: Pick<Benchmark, 'request' | 'training'>,
  { train, classes }: { train: number; classes: readonly string[] },
): string | null {
  const { all, forget, retain } = splitCounts({ train, classes: classes.length }, { holdOut, request })
  const most = request.kind === 'part' ? all / classes.length : all
  if (forget >= 1 && forget <= most && retain >= 1) return null
  return `the request forgets ${forget} of ${most} images${request.kind === 'part' ? ` of class ${request.label}` : ''}; expected at least one to forget and one to retain`
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
