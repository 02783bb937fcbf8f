/** The contract of schema/tasks/: what a plan, a stage key and a board must know of a task; its file name is its id. */
import { z } from 'zod'
import type { DatasetRef, ForgetRequest, ModelRef, TrainingRecipe } from './recipe.ts'
import type { Aim } from './request.ts'
import type { StageKey, StageKind, StageSpec } from './stage-shape.ts'

/** What all benchmarks have and a plan needs. */
export interface Planning {
  dataset: DatasetRef
  model: ModelRef
  request: ForgetRequest
  training: TrainingRecipe
}

export interface TaskSpec<Part = Record<string, unknown>> {
  /** As a heading, such as `Image classification`. */
  title: string
  /** Raise when the same stage of this task would give other bytes than before; its stage keys then change. */
  engine: number
  /** What a benchmark of this task says beside what all benchmarks say. */
  part: z.ZodType<Part>
  /** What can be asked to be forgotten. */
  requests: readonly ForgetRequest['kind'][]
  /** Whether a training can end with its best epoch, which takes examples that are held out and an answer that is right or wrong. */
  choosesEpoch?: boolean
  /** What the task adds to stages, by kind; kinds that are not named here are not the task's. */
  stages: { train: z.ZodType; unlearn: z.ZodType; evaluate: z.ZodType } & { [Kind in StageKind]?: z.ZodType }
  /** What it adds to `train` and `unlearn`. */
  trainingPart(part: Part): Record<string, unknown>
  /** Plans all stages after those that make the weights; the last one evaluates. `seed` is the split's, so that runs of one retrained
   *  model share what was measured of it. */
  measure(
    plan: { benchmark: Planning; part: Part; seed: number; trainingSeed: number; weights: StageKey },
    add: (spec: StageSpec) => Promise<StageKey>,
  ): Promise<void>
  /** Models that a benchmark names beside its own, by their place in it, and the task that each is of. */
  models?(part: Part): Record<string, { task: string; model: ModelRef }>
  /** The metrics that a run can be looked at by while it unlearns; left out where a look takes stages of its own. */
  along?: readonly string[]
  /** How often a `sample` stage asks the model about one image, for a number of classes. */
  answersOf?(part: unknown, classes: number): number
  /** Identities of the metrics of a benchmark that names none, by what it asks of unlearning; where this is left out, it must. */
  usualMetrics?: Readonly<Record<Aim, readonly string[]>>
  /** Trainings that every submission is shown beside: retrain alone, or the original too. */
  references: readonly ('retain' | 'all')[]
  /** What orders a board: the mean gap to retrain, or the worse of a row's places in the metrics that say so. */
  ordering: 'avg-gap' | 'worst-place'
}

export const nothing = z.strictObject({})

export const defineTask = <Part>(task: TaskSpec<Part>): TaskSpec => task as unknown as TaskSpec
