/** The images whose forgetting shows least: a model that unlearns them still knows them (Fan et al., ECCV 2024,
 *  https://arxiv.org/abs/2403.07362). Two levels: each image has a weight in [0, 1]; below, the original is fine-tuned on all of D with
 *  losses weighted by 1 − weight, by the signs of gradients; above, weights go down the losses that are left, and back to the sum that
 *  is wanted. It begins with a random set. Losses are those of evaluation, where the released code leaves batch norm in training. */
import { cappedSimplex, heaviest } from '../../capped-simplex.ts'
import type { Operations } from '../../expression.ts'
import type { ForgetSets } from '../../forget-set.ts'
import type { ClassifierTypes, ClassifierValues } from './vocabulary.ts'

export const worst: ForgetSets<ClassifierTypes>['worst'] = async (
  { trainer, items, count, batchSize },
  { rounds, passes, learningRate, weightRate, gamma, easiest, random, onRound },
) => {
  const original = trainer.keep()
  const first = new Set(random.shuffle(items).subarray(0, count))
  const way = easiest ? -1 : 1
  let weights = Float64Array.from(items, (item) => (first.has(item) ? 1 : 0))
  let losses = new Float32Array()
  for (let round = 1; round <= rounds; round++) {
    onRound(round)
    await trainer.restore(original)
    const optimizer = trainer.sgd({
      ...{ learningRate, momentum: 0, weightDecay: 0 },
      direction: ({ gradient, sign }) => sign(gradient(0)),
    })
    const kept = {
      on: { items, batchSize, factors: weights.map((weight) => 1 - weight) },
      loss: (values: ClassifierValues & Operations) => values.mean(values.multiply(values.factor, lossOfEach(values))),
    }
    await optimizer.descend([kept], { passes })
    losses = Float32Array.from(await trainer.evaluate({ items, batchSize }, lossOfEach))
    const moved = weights.map((weight, i) => weight - way * weightRate * (losses[i]! + 2 * gamma * weight))
    weights = cappedSimplex(moved, count)
  }
  const list = heaviest(items, weights, count)
  const chosen = new Set(list)
  const members = losses.filter((_, i) => chosen.has(items[i]!))
  return { list, words: `mean loss ${shown(members)} after the last round, ${shown(losses)} over all of D` }
}

/** Cross-entropy with the true label. [n] */
const lossOfEach = ({ logits, labels, logSumExp, pick, subtract }: ClassifierValues & Operations) =>
  subtract(logSumExp(logits), pick(logits, labels))

const shown = (losses: Float32Array): string =>
  (losses.reduce((sum, loss) => sum + loss, 0) / losses.length).toPrecision(3)
