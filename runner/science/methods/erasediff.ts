/** EraseDiff: forgetting as a problem of two levels, retaining above and forgetting below (https://arxiv.org/abs/2401.05779). The
 *  released code begins at weights that were not averaged; that is not done here. */
import { z } from 'zod'
import { acting, actingWith } from '../acting.ts'
import type { Expr, Operations } from '../expression.ts'
import { type DirectionValues, defineMethod } from '../method.ts'
import { adamAverage, adamSteps, fitImages, onGeneration } from '../tasks/generation/vocabulary.ts'
import { answerAsOther } from './parts/other-class.ts'

/** The terms of a step, in this order. */
const [FORGET, RETAIN] = [0, 1]

const params = acting(
  adamSteps.extend({
    steps: adamSteps.shape.steps
      .default(288)
      .describe('Steps of Adam on both levels, in all rounds; the released code takes 8 times 36 for CIFAR-10.'),
    rounds: z.int().min(1).max(1000).default(8).describe('Rounds that the steps are shared out over.'),
    passes: z
      .int()
      .min(0)
      .max(100)
      .default(2)
      .describe(
        'Passes over D_f that descend L_f alone, without clipping, at the beginning of each round. The weights are put back then, so that the moments of Adam alone remember them (the released code); 0 leaves them out.',
      ),
    reduction: z
      .enum(['mean', 'sum'])
      .default('mean')
      .describe(
        'L_r and L_f are squared errors: their `mean` over everything (the released code), or the `sum` over an image, as DDPM trains.',
      ),
    other: z
      .enum(['shared', 'random', 'next'])
      .default('shared')
      .describe(
        'The class whose prediction D_f is to give: one random class for a whole batch (`shared`, the released code), a random one for each image, or always the next (c + 1 mod C).',
      ),
    dropCondition: adamSteps.shape.dropCondition.describe(
      'Share of a batch of D_f whose class is replaced by the null class, drawn anew for the class it is to answer as: 0.1 in the released code.',
    ),
    retainDropCondition: adamSteps.shape.dropCondition
      .default(0)
      .describe('The same share of a batch of D_r: none in the released code.'),
    average: adamAverage.default(0.99),
    balance: z
      .enum(['fixed', 'adaptive', 'bome'])
      .default('fixed')
      .describe(
        'How λ of L_r + λ L_f is found: kept at `lambda` (the default of the released code); at each step η less the cosine of the two gradients, but at least 0 (`adaptive`, the other way of the released code); or the smallest value for which the step also descends L_f by η times what plain gradient steps would (`bome`, first-order bilevel optimization, https://arxiv.org/abs/2209.08709).',
      ),
    lambda: actingWith(z.number().min(0).max(1e6).default(0.1).describe('λ.'), { balance: ['fixed'] }),
    eta: actingWith(z.number().gt(0).max(1e6).default(0.1).describe('η.'), { balance: ['adaptive', 'bome'] }),
    inner: actingWith(z.int().min(1).max(8).default(2).describe('How many plain gradient steps those are.'), {
      balance: ['bome'],
    }),
    innerRate: actingWith(z.number().gt(0).max(1).default(1e-4).describe('Rate of those steps.'), {
      balance: ['bome'],
    }),
  }),
).refine(({ rounds, steps }) => rounds <= steps, { path: ['rounds'], message: 'expected at most as many as steps' })

type Params = z.infer<typeof params>

export const erasediff = defineMethod({
  title: 'EraseDiff',
  summary: 'Retains by the noise loss while a lower-level loss moves the class to predictions of random other classes.',
  paper: { title: 'EraseDiff (Wu et al., 2024)', url: 'https://arxiv.org/abs/2401.05779' },
  version: 2,
  mark: 8,
  on: {
    generation: onGeneration({
      params,
      async run({ params, trainer, forget, retain }) {
        const { balance, steps, rounds, passes, reduction, batchSize, retainDropCondition } = params
        const optimizer = trainer.adam({ ...params, direction: directions[balance](params) })
        const lower = answerAsOther(forget, params, reduction)
        const upper = fitImages(retain, { batchSize, dropCondition: retainDropCondition }, 1, reduction)
        const before = trainer.keep()
        for (let round = 0; round < rounds; round++) {
          if (passes > 0) {
            before.retake()
            await optimizer.descend([lower], { passes, clipNorm: null, direction: null, average: null })
            await trainer.restore(before)
          }
          const upTo = (end: number) => Math.floor((steps * end) / rounds)
          await optimizer.descend([{ ...lower, weight: balance === 'fixed' ? params.lambda : 1 }, upper], {
            steps: upTo(round + 1) - upTo(round),
          })
        }
        if (params.average !== null) await optimizer.takeAverage()
      },
    }),
  },
})

type Direction = (values: DirectionValues & Operations) => Expr

/** ∇L_r + λ ∇L_f by the way in which λ is found. */
const directions: Record<Params['balance'], (params: Params) => Direction | undefined> = {
  // The weighted sum of the terms.
  fixed: () => undefined,
  adaptive:
    ({ eta }) =>
    ({ gradient, add, subtract, multiply, divide, maximum, dot, norm }) => {
      const [lower, upper] = [gradient(FORGET), gradient(RETAIN)]
      const cosine = divide(dot(lower, upper), add(multiply(norm(lower), norm(upper)), 1e-8))
      return add(upper, multiply(lower, maximum(subtract(eta, cosine), 0)))
    },
  bome:
    ({ eta, inner, innerRate }) =>
    ({ weights, loss, gradient, lossAt, gradientAt, ...ops }) => {
      const { add, subtract, multiply, divide, maximum, dot } = ops
      const [lower, upper] = [gradient(FORGET), gradient(RETAIN)]
      let moved = subtract(weights, multiply(lower, innerRate))
      for (let step = 1; step < inner; step++) {
        moved = subtract(moved, multiply(gradientAt(FORGET, moved), innerRate))
      }
      const left = subtract(loss(FORGET), lossAt(FORGET, moved))
      const wanted = subtract(multiply(left, eta), dot(lower, upper))
      return add(upper, multiply(lower, maximum(divide(wanted, add(dot(lower, lower), 1e-12)), 0)))
    },
}
