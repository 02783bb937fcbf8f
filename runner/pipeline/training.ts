/** What the two stages that move weights have in common: a trainer over the model of the stage. */
import type { StageOf } from '../../schema/stage.ts'
import type { Tensor } from '../engine/onnx/tensor.ts'
import { createTrainer, type StageTrainer } from '../engine/training/trainer.ts'
import type { TaskTypes } from '../science/method.ts'
import type { StageContext } from '../stages/stage.ts'
import type { TaskModel } from '../stages/task.ts'

interface Opening {
  model: TaskModel
  state: ReadonlyMap<string, Tensor>
  augment: boolean
  /** Keeps the draws of training and unlearning apart. */
  purpose: string
}

export function openTrainer(
  { seed }: StageOf<'train' | 'unlearn'>,
  { model, state, augment, purpose }: Opening,
  context: StageContext,
): StageTrainer<TaskTypes> {
  const { threads, provider, signal, onProgress, checkpoint } = context
  const trainer: StageTrainer<TaskTypes> = createTrainer({
    objective: model.objective({ seed, augment, executor: () => trainer.executor }),
    ...{ state, seed, purpose, threads, provider, signal, onProgress, checkpoint },
  })
  return trainer
}

/** A line of the log; none for a method that descends nothing. */
export const lossWords = (losses: readonly number[]): string =>
  losses.length === 0 ? 'no loss was descended' : `mean losses ${losses.map((loss) => loss.toPrecision(4)).join(' ')}`
