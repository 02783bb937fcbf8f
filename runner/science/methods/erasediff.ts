/** EraseDiff: forgetting as a problem of two levels, retaining above and forgetting below (https://arxiv.org/abs/2401.05779). */
import { z } from 'zod'
import { defineMethod } from '../method.ts'
import { adamSteps, fitImages, onGeneration } from '../tasks/generation/vocabulary.ts'
import { answerAsOther } from './parts/other-class.ts'

/** The terms of a step, in this order. */
const [FORGET, RETAIN] = [0, 1]

export const erasediff = defineMethod({
  title: 'EraseDiff',
  summary: 'Retains by the noise loss while a lower-level loss moves the class to predictions of random other classes.',
  paper: { title: 'EraseDiff (Wu et al., 2024)', url: 'https://arxiv.org/abs/2401.05779' },
  version: 1,
  mark: 8,
  on: {
    generation: onGeneration({
      params: adamSteps.extend({
        balance: z
          .enum(['fixed', 'adaptive'])
          .default('fixed')
          .describe(
            'How λ of L_r + λ (L_f(θ) − L_f(θ′)) is found: kept at `lambda`, or at each step the smallest value for which the step also descends L_f by `eta` times what is left (first-order bilevel optimization, https://arxiv.org/abs/2209.08709).',
          ),
        lambda: z.number().min(0).max(1e6).default(0.1).describe('λ, where it is fixed.'),
        eta: z.number().gt(0).max(1e6).default(0.1).describe('η, where λ is adaptive.'),
        inner: z
          .int()
          .min(1)
          .max(8)
          .default(2)
          .describe('θ′ is this many plain gradient steps on L_f away from θ, each of rate `innerRate`.'),
        innerRate: z.number().gt(0).max(1).default(1e-4).describe('Rate of those steps.'),
      }),
      async run({ params, trainer, forget, retain }) {
        const { balance, lambda, eta, inner, innerRate } = params
        const optimizer = trainer.adam({
          ...params,
          direction({ weights, loss, gradient, lossAt, gradientAt, ...ops }) {
            const { add, subtract, multiply, divide, maximum, dot } = ops
            const [lower, upper] = [gradient(FORGET), gradient(RETAIN)]
            if (balance === 'fixed') return add(upper, multiply(lower, lambda))
            let moved = subtract(weights, multiply(lower, innerRate))
            for (let step = 1; step < inner; step++) {
              moved = subtract(moved, multiply(gradientAt(FORGET, moved), innerRate))
            }
            const left = subtract(loss(FORGET), lossAt(FORGET, moved))
            const wanted = subtract(multiply(left, eta), dot(lower, upper))
            const factor = maximum(divide(wanted, add(dot(lower, lower), 1e-12)), 0)
            return add(upper, multiply(lower, factor))
          },
        })
        await optimizer.descend(
          [
            { ...answerAsOther(forget, { ...params, other: 'random' }, 'sum'), weight: lambda },
            fitImages(retain, params),
          ],
          { steps: params.steps },
        )
      },
    }),
  },
})
