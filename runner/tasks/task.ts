/** The contract of tasks/: one folder a task, with what the engine side must know of it. */
import type { TrainingRecipe } from '../../schema/parts/recipe.ts'
import type { StageOf } from '../../schema/stage.ts'
import type { Executor } from '../engine/nn/executor.ts'
import type { Variables } from '../engine/nn/variables.ts'
import type { Tensor } from '../engine/onnx/tensor.ts'
import type { Objective } from '../engine/training/objective.ts'
import type { StageTrainer } from '../engine/training/trainer.ts'
import type { TaskTypes } from '../science/method.ts'
import type { LoadedData } from '../stages/data.ts'
import type { StageContext, StageOutcome } from '../stages/stage.ts'

/** A model of a stage, on the data of the stage. */
export interface TaskModel<T extends TaskTypes = TaskTypes> {
  network: Variables & { classes: number }
  /** `augment` as the recipe says; `executor` is the one that the trainer uses. */
  objective(options: { seed: number; augment: boolean; executor(): Executor }): Objective<T>
  /** What methods can ask beside the trainer's own verbs. */
  verbs(trainer: StageTrainer<T>, options: VerbOptions): T['verbs']
  /** Trains by a recipe on the items; `all` counts D. Gives the moving average of the weights, where the task keeps one. */
  fit(
    trainer: StageTrainer<T>,
    options: { items: Int32Array; all: number; recipe: TrainingRecipe },
  ): Promise<ReadonlyMap<string, Tensor> | null>
}

export interface VerbOptions {
  seed: number
  purpose: string
  onProgress: StageContext['onProgress']
}

export interface RunnerTask<T extends TaskTypes = TaskTypes> {
  /** The model that a stage trains. Throws ConfigurationError for one that doesn't fit the data. */
  model(spec: StageOf<'train' | 'unlearn'>, loaded: LoadedData): TaskModel<T>
  /** Draws examples; where the task has such a stage. */
  sample?(spec: StageOf<'sample'>, context: StageContext): Promise<StageOutcome>
  /** Measures evidence; the artifacts that it gives are those that science/tasks/ reads. */
  measure(spec: StageOf<'evaluate'>, context: StageContext): Promise<StageOutcome>
}

export const defineRunnerTask = <T extends TaskTypes>(task: RunnerTask<T>): RunnerTask => task as unknown as RunnerTask
