/** The contract of science/tasks/: one folder a task, with the values its losses look at, its evidence and its metrics. Pure, so
 *  that the worker can title a column and recompute a score. */
import type { MetricDefinition } from './metric.ts'

/** What an evaluate stage leaves of what it measured. */
export const EVIDENCE = 'evidence.safetensors'

export interface ScienceTask<Evidence = unknown> {
  metrics: Readonly<Record<string, MetricDefinition<Evidence>>>
  /** Names of the artifacts that evidence is read from, EVIDENCE among them. */
  files: readonly string[]
  /** Throws SafetensorsError when the files are not evidence. */
  decode(files: ReadonlyMap<string, Uint8Array>): Evidence
}

export const defineScience = <Evidence>(task: ScienceTask<Evidence>): ScienceTask => task as unknown as ScienceTask

/** One of the files of evidence. Throws when it is not there. */
export function fileOf(files: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
  const bytes = files.get(name)
  if (!bytes) throw new Error(`evidence: expected the file ${name}, got ${[...files.keys()].join(', ') || 'none'}`)
  return bytes
}
