/** The tasks by their ids, and how a benchmark names one. */
import { z } from 'zod'
import type { TaskSpec } from './parts/task-spec.ts'
import * as modules from './tasks/index.ts'

export type { TaskSpec } from './parts/task-spec.ts'

export const tasks: Map<string, TaskSpec> = new Map(Object.entries(modules))

/** Throws for a task that this release does not know. */
export function taskNamed(id: string): TaskSpec {
  const task = tasks.get(id)
  if (!task) throw new Error(unknownTask(id))
  return task
}

export const unknownTask = (id: string): string => `no task "${id}"; known are ${[...tasks.keys()].join(', ')}`

/** Adds what a schema finds wrong with a value to what is wrong with the whole. Gives the value with its defaults. */
export function checked<T>(
  context: z.core.ParsePayload<T>,
  schema: z.ZodType,
  value: unknown,
  path: PropertyKey[],
): unknown {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  for (const issue of parsed.error.issues) {
    context.issues.push({ ...issue, path: [...path, ...issue.path], input: context.value } as z.core.$ZodRawIssue)
  }
  return value
}

/** A task by its id, with what its benchmarks say beside what all do: `{ "id": "generation", "sampling": {…}, … }`. */
export const taskRef = z
  .looseObject({ id: z.string() })
  .check((context) => {
    const { id, ...part } = context.value
    const task = tasks.get(id)
    if (task) context.value = { id, ...(checked(context, task.part, part, []) as Record<string, unknown>) }
    else context.issues.push({ code: 'custom', message: unknownTask(id), input: id, path: ['id'] })
  })
  .default({ id: 'classification' })
export type TaskRef = z.infer<typeof taskRef>

/** A task's own part of a benchmark, checked when the benchmark was. */
export function partOf({ id, ...part }: TaskRef): Record<string, unknown> {
  return part
}
