/** What can be told of a benchmark before anything is computed. */

import type { z } from 'zod'
import type { Benchmark } from '../../../schema/benchmark.ts'
import { describeIssues } from '../../../schema/issues.ts'
import type { ModelRef } from '../../../schema/parts/recipe.ts'
import { partOf, taskNamed } from '../../../schema/task.ts'
import { datasets, lookUp } from '../../pipeline/catalogue.ts'
import { runnerTask, runnerTasks } from '../../pipeline/tasks.ts'
import { methods, metricsOf, paramsOn } from '../../science/catalogue/catalogue.ts'
import { parametersOf } from '../../science/parameters.ts'
import type { dataPlaces } from '../../store/home.ts'
import { note } from '../../terminal/output.ts'
import { noSuch } from '../../words/nearest.ts'
import { UsageError } from '../../words/usage.ts'

/** Everything that can be told before anything is loaded. */
export function checkBenchmark(benchmark: Benchmark): void {
  const { slug, dataset, model, request, task, metrics } = benchmark
  lookUp('dataset', datasets, dataset.id)
  const { requests, title, models } = taskNamed(task.id)
  if (!requests.includes(request.kind))
    throw new UsageError(
      `${slug}: ${title.toLowerCase()} forgets a ${requests.join(' or a ')}; its request is ${request.kind}`,
    )
  checkModel(task.id, model)
  for (const other of Object.values(models?.(partOf(task)) ?? {})) checkModel(other.task, other.model)
  checkPresets(benchmark)
  const known =
    runnerTask(task.id).measurable?.(benchmark) ?? [...metricsOf(task.id).values()].map(({ named }) => named)
  for (const identity of metrics) {
    if (!known.includes(identity)) throw new UsageError(noSuch(`metric of ${slug} (${task.id})`, identity, known))
  }
}

/** A preset of a misspelt name would never be used, and nobody would know. */
function checkPresets(benchmark: Benchmark): void {
  for (const [id, preset] of Object.entries(benchmark.presets)) {
    if (!methods.has(id)) throw new UsageError(`presets: ${noSuch('method', id, methods.keys())}`)
    const found = paramsOn(benchmark, id)
    if ('refusal' in found) throw new UsageError(`presets.${id}: ${found.refusal.message}`)
    const known = parametersOf(found.params).map(({ name }) => name)
    const strange = Object.keys(preset).find((name) => !known.includes(name))
    if (strange !== undefined) throw new UsageError(`presets.${id}: ${noSuch(`parameter of ${id}`, strange, known)}`)
    // What a method must be given besides may come from the command line.
    const issues = found.params.safeParse(preset).error?.issues.filter(({ path }) => String(path[0]) in preset) ?? []
    if (issues.length > 0) throw new UsageError(describeIssues({ issues } as z.core.$ZodError, preset, ['presets', id]))
  }
}

function checkModel(task: string, { id, params }: ModelRef): void {
  const known = new Map(Object.entries(runnerTask(task).architectures))
  const { error } = lookUp(`model for ${task}`, known, id).params.safeParse(params)
  if (!error) return
  const issues = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new UsageError(`model ${id}: ${issues.join('; ')}`)
}

/** Throws LocalFault where this machine lacks what stages of these tasks need: of all, for one that takes what it is given. */
export function requireTools(tasks: Iterable<string> = runnerTasks.keys()): void {
  for (const task of tasks) runnerTask(task).requires?.()
}

/** Files that only the last stage needs are asked for first. */
export async function prepareBenchmark(
  benchmark: Benchmark,
  places: ReturnType<typeof dataPlaces>,
  signal: AbortSignal,
): Promise<void> {
  await runnerTask(benchmark.task.id).prepare?.(benchmark, { places, signal, note })
}
