/** What RL, SalUn and SalUn-soft share: epochs that fit random labels on D_f and true labels on D_r. */
import { z } from 'zod'
import type { Context, Optimizer, RandomStream, Span } from '../../method.ts'
import { type ClassifierTypes, fitLabels, sgd } from '../../tasks/classification/vocabulary.ts'

export const randomLabels = sgd.extend({
  labels: z
    .enum(['any', 'wrong'])
    .default('any')
    .describe(
      '`any` draws from all classes, so a label may be the true one (the released code); `wrong` never draws it (the paper).',
    ),
  passes: z
    .enum(['sequential', 'mixed'])
    .default('sequential')
    .describe(
      '`sequential` goes over D_f, then over D_r (the released code for CIFAR-10 and SVHN); `mixed` shuffles both into one pass (the released code for CIFAR-100 and TinyImageNet).',
    ),
})
export type RandomLabels = z.infer<typeof randomLabels>

/** A label for each item, uniform over the classes or over the wrong ones. */
export function drawLabels(
  items: Int32Array,
  labels: ArrayLike<number>,
  classes: number,
  kind: RandomLabels['labels'],
  random: RandomStream,
): Int32Array {
  return Int32Array.from(items, (item) => {
    if (kind === 'any') return random.integer(classes)
    const other = random.integer(classes - 1)
    return other < labels[item]! ? other : other + 1
  })
}

/** One epoch; labels of D_f are drawn anew each time. */
export async function relabelPass(
  { params, forget, retain, labels, classes, random }: Context<ClassifierTypes, RandomLabels>,
  optimizer: Optimizer<ClassifierTypes>,
  numbers: Span['numbers'] = {},
): Promise<void> {
  const { batchSize } = params
  const span = { passes: 1, numbers }
  const drawn = drawLabels(forget, labels, classes, params.labels, random)
  if (params.passes === 'sequential') {
    await optimizer.descend([fitLabels(forget, { batchSize, labels: drawn })], span)
    await optimizer.descend([fitLabels(retain, { batchSize })], span)
  } else {
    const both = new Int32Array(forget.length + retain.length)
    both.set(forget)
    both.set(retain, forget.length)
    const wanted = both.map((item, i) => (i < forget.length ? drawn[i]! : labels[item]!))
    await optimizer.descend([fitLabels(both, { batchSize, labels: wanted })], span)
  }
}
