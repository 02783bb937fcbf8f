/** The contract of tasks/: one folder a task, with what the engine side must know of it. */
import type { z } from 'zod'
import type { Benchmark } from '../../schema/benchmark.ts'
import type { ForgetRequest, TrainingRecipe } from '../../schema/parts/recipe.ts'
import type { StageKind, StageOf } from '../../schema/stage.ts'
import type { Executor } from '../engine/nn/executor.ts'
import type { Variables } from '../engine/nn/variables.ts'
import type { Tensor } from '../engine/onnx/tensor.ts'
import type { Objective } from '../engine/training/objective.ts'
import type { StageTrainer } from '../engine/training/trainer.ts'
import type { TaskTypes } from '../science/method.ts'
import type { DataPlaces } from '../store/home.ts'
import type { LoadedData } from './data.ts'
import type { DataSplit } from './split.ts'
import type { StageContext, StageOutcome } from './stage.ts'

/** A model of a stage, on the data of the stage. */
export interface TaskModel<T extends TaskTypes = TaskTypes> {
  network: Variables & { classes: number }
  /** Weights that are the original, where the model brings them: then nothing trains on all of D. */
  original?: ReadonlyMap<string, Tensor>
  /** `augment` as the recipe says; `executor` is the one that the trainer uses. */
  objective(options: { seed: number; augment: boolean; executor(): Executor }): Objective<T>
  /** What methods can ask beside the trainer's own verbs. */
  verbs(trainer: StageTrainer<T>, options: VerbOptions): T['verbs']
  /** Asks weights of this model, along the way, what the evaluate stage asks of the last ones; where that takes no stage between. */
  observe?(asked: Observed, context: StageContext): Observer
  /** Trains by a recipe. Gives the moving average of the weights, where the task keeps one. */
  fit(trainer: StageTrainer<T>, options: Fitting): Promise<ReadonlyMap<string, Tensor> | null>
}

export interface Observed {
  split: Pick<DataSplit, 'forget' | 'retain'>
  request: ForgetRequest
}

export interface Observer {
  /** As the task's metrics take it. */
  evidence(state: ReadonlyMap<string, Tensor>): Promise<unknown>
  /** Seconds that were spent on compiling graphs. */
  compileSeconds(): number
  release(): Promise<void>
}

export interface Fitting extends Pick<StageContext, 'log'> {
  recipe: TrainingRecipe
  items: Int32Array
  /** How many D has. */
  all: number
  /** Held out, for a recipe that chooses an epoch by them. */
  heldOut: Int32Array
}

export interface VerbOptions {
  seed: number
  purpose: string
  onProgress: StageContext['onProgress']
}

/** What is told of an architecture before it is built. */
export interface Architecture {
  title: string
  paper: { title: string; url: string } | null
  params: z.ZodType
}

/** Stages that a task computes all by itself, by kind; where it has them. Training and unlearning are the same for all tasks. */
type OwnStages = {
  [Kind in Exclude<StageKind, 'train' | 'unlearn' | 'evaluate'>]?: (
    spec: StageOf<Kind>,
    context: StageContext,
  ) => Promise<StageOutcome>
}

export interface RunnerTask<T extends TaskTypes = TaskTypes> extends OwnStages {
  /** What a benchmark of this task can name as its model. */
  architectures: Readonly<Record<string, Architecture>>
  /** Throws LocalFault where this machine lacks what stages of the task need, beside onnxruntime. */
  requires?(): void
  /** Asks for what only a last stage needs, such as an extractor's weights: a missing file should not be found out after days. */
  prepare?(benchmark: Benchmark, context: Preparing): Promise<void>
  /** The model that a stage trains. Throws ConfigurationError for one that doesn't fit the data. */
  model(
    spec: StageOf<'train' | 'unlearn'>,
    loaded: LoadedData,
    context: Pick<StageContext, 'places'>,
  ): TaskModel<T> | Promise<TaskModel<T>>
  /** Measures evidence; the artifacts that it gives are those that science/tasks/ reads. */
  measure(spec: StageOf<'evaluate'>, context: StageContext): Promise<StageOutcome>
}

export interface Preparing {
  places: DataPlaces
  signal: AbortSignal
  /** Says what is looked for. */
  note(line: string): void
}

export const defineRunnerTask = <T extends TaskTypes>(task: RunnerTask<T>): RunnerTask => task as unknown as RunnerTask
