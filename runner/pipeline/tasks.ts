/** Every task by its id: what this runner can do. */
import { scienceTasks } from '../science/catalogue/catalogue.ts'
import type { ScienceTask } from '../science/task.ts'
import { ConfigurationError } from '../stages/configuration-error.ts'
import type { RunnerTask } from '../stages/task.ts'
import * as runner from '../tasks/index.ts'

export const runnerTasks: Map<string, RunnerTask> = new Map(Object.entries(runner))

/** Throws ConfigurationError for a task that this release does not know. */
export const runnerTask = (id: string): RunnerTask => known(runnerTasks, id)
export const scienceTask = (id: string): ScienceTask => known(scienceTasks, id)

function known<T>(all: ReadonlyMap<string, T>, id: string): T {
  const task = all.get(id)
  if (!task) throw new ConfigurationError(`no task ${id}; known: ${[...all.keys()].join(', ')}`)
  return task
}
