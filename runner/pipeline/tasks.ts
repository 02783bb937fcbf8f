/** Every task by its id: what this runner can do. */

import type { ScienceTask } from '../science/task.ts'
import * as science from '../science/tasks/index.ts'
import { ConfigurationError } from '../stages/configuration-error.ts'
import * as runner from '../tasks/index.ts'
import type { RunnerTask } from '../tasks/task.ts'

export const runnerTasks: Map<string, RunnerTask> = new Map(Object.entries(runner))
export const scienceTasks: Map<string, ScienceTask> = new Map(Object.entries(science))

/** Throws ConfigurationError for a task that this release does not know. */
export const runnerTask = (id: string): RunnerTask => known(runnerTasks, id)
export const scienceTask = (id: string): ScienceTask => known(scienceTasks, id)

function known<T>(all: ReadonlyMap<string, T>, id: string): T {
  const task = all.get(id)
  if (!task) throw new ConfigurationError(`no task ${id}; known: ${[...all.keys()].join(', ')}`)
  return task
}
