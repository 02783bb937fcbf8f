/** Learning rates over a training run. */
import type { TrainingRecipe } from '../../../schema/parts/recipe.ts'

/** Rate of a step: the schedule moves once an epoch (as PyTorch's MultiStepLR and CosineAnnealingLR do when stepped per
 *  epoch), the linear warm-up at every step. `epoch` may have a fraction. */
export function rateAt(
  {
    epochs,
    learningRate,
    schedule,
    warmUpEpochs,
  }: Pick<TrainingRecipe, 'epochs' | 'learningRate' | 'schedule' | 'warmUpEpochs'>,
  epoch: number,
): number {
  if (epoch < warmUpEpochs) return (learningRate * epoch) / warmUpEpochs
  const whole = Math.floor(epoch)
  switch (schedule.kind) {
    case 'constant':
      return learningRate
    case 'step':
      return learningRate * schedule.factor ** schedule.milestones.filter((milestone) => whole >= milestone).length
    case 'cosine':
      return learningRate * (schedule.floor + ((1 - schedule.floor) * (1 + Math.cos((Math.PI * whole) / epochs))) / 2)
  }
}
