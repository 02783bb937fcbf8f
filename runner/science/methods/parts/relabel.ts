/** What RL, SalUn and SalUn-soft share: an epoch that fits random labels on D_f and true labels on D_r. */
import { z } from 'zod'
import { type MethodContext, type PassOptions, type RandomStream, sgd, type TrainerOptimizer } from '../../method.ts'

export const randomLabels = sgd.extend({
  /** `any` draws from all classes, so a label may be the true one (the released code); `wrong` never draws it (the paper). */
  labels: z.enum(['any', 'wrong']).default('any'),
  /** `sequential` goes over D_f, then over D_r (the released code for CIFAR-10 and SVHN); `mixed` shuffles both into one pass
   *  (the released code for CIFAR-100 and TinyImageNet). */
  passes: z.enum(['sequential', 'mixed']).default('sequential'),
})
export type RandomLabels = z.infer<typeof randomLabels>

/** A label for each item, uniform over the classes or over the wrong ones. */
export function drawLabels(
  items: Int32Array,
  labels: Uint8Array,
  classes: number,
  kind: RandomLabels['labels'],
  random: RandomStream,
): Uint8Array {
  return Uint8Array.from(items, (item) => {
    if (kind === 'any') return random.integer(classes)
    const other = random.integer(classes - 1)
    return other < labels[item]! ? other : other + 1
  })
}

/** One epoch; labels of D_f are drawn anew each time. */
export async function relabelPass(
  { params, forget, retain, labels, classes, random }: MethodContext<RandomLabels>,
  optimizer: TrainerOptimizer,
  extra: Partial<PassOptions> = {},
): Promise<void> {
  const options = { learningRate: params.learningRate, batchSize: params.batchSize, ...extra }
  const drawn = drawLabels(forget, labels, classes, params.labels, random)
  if (params.passes === 'sequential') {
    await optimizer.pass(forget, { ...options, labels: drawn })
    await optimizer.pass(retain, options)
  } else {
    const truth = Uint8Array.from(retain, (item) => labels[item]!)
    await optimizer.pass(Int32Array.of(...forget, ...retain), { ...options, labels: Uint8Array.of(...drawn, ...truth) })
  }
}
