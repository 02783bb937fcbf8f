/** The contract of science/tasks/: one folder a task, with the values its losses look at, its evidence and its metrics. Pure, so
 *  that the worker can title a column and recompute a score. */
import type { Benchmark } from '../../schema/benchmark.ts'
import type { Pictured } from '../../schema/classes.ts'
import type { StageOf, StageSpec } from '../../schema/stage.ts'
import type { Arrays } from '../formats/arrays.ts'
import type { ForgetSets } from './forget-set.ts'
import type { Limit } from './limits.ts'
import type { MetricDefinition, MetricTools } from './metric.ts'
import type { PopulationScience } from './population.ts'

/** What an evaluate stage leaves of what it measured. */
export const EVIDENCE = 'evidence.safetensors'

/** Positions of D_f and D_r in the training set, in the order of the rows of evidence: so that a figure of one example can be traced to
 *  its image. */
export const SPLIT = 'split.safetensors'

/** What the tensors of a file are, by name; null stands for a size that the stage does not say. */
export type TensorShapes = Readonly<Record<string, { dtype: 'F32' | 'I32' | 'U8'; shape: readonly (number | null)[] }>>

/** What is known of a stage before it is computed. */
export interface Asked<Spec extends StageSpec = StageSpec> {
  stage: Spec
  /** The stages that it reads, by what they are to it. */
  inputs: Readonly<Record<string, StageSpec>>
  data: Pictured
}

export interface AskedEvidence extends Asked<StageOf<'evaluate'>> {
  /** SHA-256 of the files that came, by name. */
  hashes: Readonly<Record<string, string>>
}

export interface ScienceTask<Evidence = unknown> {
  metrics: Readonly<Record<string, MetricDefinition<Evidence>>>
  /** Names of the metrics that can be measured on a benchmark, where that depends on the benchmark; else all of them. */
  measurable?(benchmark: Benchmark): string[]
  /** Names of the artifacts that evidence is read from, EVIDENCE among them. */
  files: readonly string[]
  /** Throws SafetensorsError when the files are not evidence. */
  decode(files: ReadonlyMap<string, Uint8Array>): Evidence
  /** The files that a stage which samples or evaluates must leave, with their tensors, by artifact. Left out, they may be any. */
  leaves?(asked: Asked): Readonly<Record<string, TensorShapes>>
  /** Why this cannot be the evidence of such a stage, whatever its shapes; null where it may well be. May throw MetricError. */
  objection?(evidence: Evidence, asked: AskedEvidence): string | null
  /** Evidence that other software saved, in files by the same names: parts may be missing, numbers of any precision. Throws
   *  ArraysError. */
  read?(files: ReadonlyMap<string, Foreign>, given: { forgottenClass?: number | undefined }): Evidence
  /** What metrics make of each example, a row each. */
  examples?(evidence: Evidence, tools: MetricTools): Promise<ExampleTable>
  /** What the meta-evaluation found each metric unable to see, of single models and of many, by id. */
  limits?: Readonly<Record<string, readonly Limit[]>>
  /** What is measured of many models at once, which `palimpsest audit` shows. */
  population?: PopulationScience<Evidence>
  /** Numbers that the examples of a set can be put in order by, in the order of its rows, by name. */
  orderings?: Readonly<Record<string, (evidence: Evidence, set: 'forget' | 'retain') => ArrayLike<number>>>
  /** Forget sets that are found with the original itself, which `palimpsest forget-set` writes. */
  forgetSets?: ForgetSets
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
