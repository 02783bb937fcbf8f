/** What the two stages that move weights have in common: a trainer over the model of the stage. */
import type { StageOf } from '../../schema/stage.ts'
import type { Tensor } from '../engine/onnx/tensor.ts'
import { createTrainer, type StageTrainer, type TrainerOptions } from '../engine/training/trainer.ts'
import type { TaskTypes } from '../science/method.ts'
import type { StageContext } from '../stages/stage.ts'
import type { TaskModel } from '../stages/task.ts'

interface Opening extends Pick<TrainerOptions<TaskTypes>, 'watch'> {
  model: TaskModel
  state: ReadonlyMap<string, Tensor>
  augment: boolean
  /** Keeps the draws of training and unlearning apart. */
  purpose: string
}

export function openTrainer(
  { seed }: StageOf<'train' | 'unlearn'>,
  { model, state, augment, purpose, watch }: Opening,
  context: StageContext,
): StageTrainer<TaskTypes> {
  const { threads, provider, signal, onProgress, checkpoint } = context
  const trainer: StageTrainer<TaskTypes> = createTrainer({
    objective: model.objective({ seed, augment, executor: () => trainer.executor }),
    ...{ state, seed, purpose, threads, provider, signal, onProgress, checkpoint, watch },
  })
  return trainer
}

/** Most losses in a line of the log; all of them are in the result. */
const IN_A_LINE = 40

/** A line of the log; none for a method that descends nothing. Of many losses it has some, from the first to the last. */
export function lossWords(losses: readonly number[]): string {
  if (losses.length === 0) return 'no loss was descended'
  const count = Math.min(losses.length, IN_A_LINE)
  const shown = Array.from(
    { length: count },
    (_, i) => losses[Math.round((i * (losses.length - 1)) / (count - 1 || 1))]!,
  )
  const some = count < losses.length ? ` (${count} of ${losses.length})` : ''
  return `mean losses${some} ${shown.map((loss) => loss.toPrecision(4)).join(' ')}`
}
