/** The contract of science/tasks/: one folder a task, with the values its losses look at, its evidence and its metrics. Pure, so
 *  that the worker can title a column and recompute a score. */
import type { Arrays } from '../formats/arrays.ts'
import type { MetricDefinition, MetricTools } from './metric.ts'

/** What an evaluate stage leaves of what it measured. */
export const EVIDENCE = 'evidence.safetensors'

export interface ScienceTask<Evidence = unknown> {
  metrics: Readonly<Record<string, MetricDefinition<Evidence>>>
  /** Names of the artifacts that evidence is read from, EVIDENCE among them. */
  files: readonly string[]
  /** Throws SafetensorsError when the files are not evidence. */
  decode(files: ReadonlyMap<string, Uint8Array>): Evidence
  /** Evidence that other software saved, in files by the same names: parts may be missing, numbers of any precision. Throws
   *  ArraysError. */
  read?(files: ReadonlyMap<string, Foreign>, given: { forgottenClass?: number | undefined }): Evidence
  /** What metrics make of each example, a row each. */
  examples?(evidence: Evidence, tools: MetricTools): Promise<ExampleTable>
}

export interface Foreign {
  content: Arrays
  sha256: string
}

export interface ExampleTable {
  columns: string[]
  rows: (string | number | null)[][]
}

export const defineScience = <Evidence>(task: ScienceTask<Evidence>): ScienceTask => task as unknown as ScienceTask

/** One of the files of evidence. Throws when it is not there. */
export function fileOf<File>(files: ReadonlyMap<string, File>, name: string): File {
  const file = files.get(name)
  if (!file) throw new Error(`evidence: expected the file ${name}, got ${[...files.keys()].join(', ') || 'none'}`)
  return file
}
