/** MUNBa: each step is the Nash bargain of two players, the gradient that preserves and the gradient that forgets
 *  (https://arxiv.org/abs/2411.15537). With c the cosine between them, the bargain is
 *  g_r / (|g_r| √(1 + c)) + g_f / (|g_f| √(1 + c)), which has norm √2, so that a `clipNorm` of 1 leaves its direction alone.
 *  The released code's further options, SAM and an L1 penalty, are off by default and left out. */
import { z } from 'zod'
import { acting } from '../acting.ts'
import type { Expr, Operations } from '../expression.ts'
import { type DirectionValues, defineMethod } from '../method.ts'
import { type ClassifierTerm, fitLabels, onClassification, sgd } from '../tasks/classification/vocabulary.ts'
import { drawLabels, randomLabels } from './parts/relabel.ts'
import { masked, maskFor } from './parts/saliency.ts'

/** Terms of a step. */
const [FORGET, RETAIN] = [0, 1]

/** Weights of the two gradients that solve G^T G α = 1/α. */
function exact({ forget, retain, both }: Products, { sqrt, add, multiply, divide }: Operations): Shares {
  const [lengthF, lengthR] = [sqrt(forget), sqrt(retain)]
  const root = sqrt(add(1, divide(both, multiply(lengthF, lengthR))))
  return [divide(1, multiply(lengthF, root)), divide(1, multiply(lengthR, root))]
}

/** The same as the released code computes it: 1e-8 in both denominators decides where gradients are small, and where a weight
 *  isn't positive both are given. */
function released({ forget, retain, both }: Products, values: Operations): Shares {
  const { sqrt, subtract, multiply, divide, add, square, greater, where } = values
  const product = multiply(retain, forget)
  const above = subtract(product, multiply(both, sqrt(product)))
  const below = subtract(multiply(retain, product), multiply(retain, square(both)))
  const shareR = sqrt(divide(above, add(below, 1e-8)))
  const shareF = divide(subtract(1, multiply(retain, square(shareR))), add(multiply(both, shareR), 1e-8))
  // NaN is not greater than 0.
  const agreed = multiply(greater(shareR, 0), greater(shareF, 0))
  return [where(agreed, shareF, 0.1), where(agreed, shareR, 1)]
}

/** Scalar products of the gradients. */
interface Products {
  forget: Expr
  retain: Expr
  both: Expr
}
type Shares = [forget: Expr, retain: Expr]

const bargain = (solve: typeof exact) => (values: DirectionValues & Operations) => {
  const { gradient, dot, add, multiply } = values
  const [f, r] = [gradient(FORGET), gradient(RETAIN)]
  const [shareF, shareR] = solve({ forget: dot(f, f), retain: dot(r, r), both: dot(f, r) }, values)
  return add(multiply(shareF, f), multiply(shareR, r))
}

export const munba = defineMethod({
  title: 'MUNBa',
  summary: 'Each step is the Nash bargain between the gradient that fits D_r and the one that unlearns D_f.',
  paper: {
    title: 'MUNBa: Machine Unlearning via Nash Bargaining (Wu & Harandi, ICCV 2025)',
    url: 'https://arxiv.org/abs/2411.15537',
  },
  version: 1,
  mark: 28,
  on: {
    classification: onClassification({
      params: acting(
        sgd.extend({
          epochs: sgd.shape.epochs.describe('Passes over D_f with bargains, each followed by steps on D_r alone.'),
          forgetting: z
            .enum(['random-labels', 'ascent'])
            .default('random-labels')
            .describe(
              'What the second player descends: the loss of `random-labels` on D_f (the released code), or the negative loss of the true ones.',
            ),
          labels: randomLabels.shape.labels,
          solution: z
            .enum(['released', 'exact'])
            .default('released')
            .describe(
              'How the 2 by 2 equations are solved: as the `released` code does, with 1e-8 in its denominators and shares 1 and 0.1 where it finds none, or `exact`, which always has a solution.',
            ),
          clipNorm: z
            .number()
            .gt(0)
            .max(1000)
            .default(1)
            .describe('Largest gradient norm of a bargain; steps on D_r alone are not clipped.'),
          remaining: z
            .enum(['pass', 'none'])
            .default('pass')
            .describe(
              'Whether D_r is gone through alone after the bargains of an epoch, until all of it has had its turn: `pass`, as in the released code; `none` ends the epoch with the bargains.',
            ),
          ...masked,
        }),
      ),
      search: { learningRate: '1e-3..0.5' },
      async run(context) {
        const { params, trainer, forget, retain, labels, classes, random } = context
        const { epochs, batchSize, forgetting, solution, remaining } = params
        const optimizer = trainer.sgd({
          ...params,
          mask: await maskFor(context),
          direction: bargain(solution === 'exact' ? exact : released),
        })
        const preserve = fitLabels(retain, { batchSize })
        const batches = (items: Int32Array) => Math.ceil(items.length / batchSize)
        const steps = remaining === 'pass' ? Math.max(0, batches(retain) - batches(forget)) : 0
        for (let epoch = 0; epoch < epochs; epoch++) {
          const drawn = forgetting === 'ascent' ? undefined : drawLabels(forget, labels, classes, params.labels, random)
          const fit = fitLabels(forget, { batchSize, labels: drawn })
          const unlearn: ClassifierTerm =
            forgetting === 'ascent' ? { ...fit, loss: (values) => values.negate(fit.loss(values)) } : fit
          await optimizer.descend([unlearn, preserve], { passes: 1 })
          if (steps > 0) await optimizer.descend([preserve], { steps, direction: null, clipNorm: null })
        }
      },
    }),
  },
})
