/** Engines: what computes a stage. A stage key is of one engine, so a stage is a job only for runners that have it. */
import type { StageSpec } from './stage.ts'
import { taskNamed, tasks } from './task.ts'

const nameOf = (task: string, version: number) => `${task}@${version}`

/** Such as `classification@3`. */
export const engineOf = ({ task }: StageSpec): string => nameOf(task, taskNamed(task).engine)

/** All that this release has. */
export const engines = (): string[] => [...tasks].map(([task, { engine }]) => nameOf(task, engine))
