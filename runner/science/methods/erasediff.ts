/** EraseDiff: forgetting as a problem of two levels, retaining above and forgetting below (https://arxiv.org/abs/2401.05779). */
import { z } from 'zod'
import { defineMethod } from '../method.ts'
import { defineGeneration, denoiserSteps, noiseTerm } from '../tasks/generation.ts'

const params = denoiserSteps.extend({
  /** How λ of L_r + λ (L_f(θ) − L_f(θ')) is found: kept at `lambda`, or at each step the smallest value for which the step also
   *  descends L_f by `eta` times what is left (first-order bilevel optimization, https://arxiv.org/abs/2209.08709). */
  balance: z.enum(['fixed', 'adaptive']).default('fixed'),
  lambda: z.number().min(0).max(1e6).default(0.1),
  eta: z.number().gt(0).max(1e6).default(0.1),
  /** θ' is this many plain gradient steps on L_f away from θ, each of rate `innerRate`. */
  inner: z.int().min(1).max(8).default(2),
  innerRate: z.number().gt(0).max(1).default(1e-4),
})

export const erasediff = defineMethod({
  title: 'EraseDiff',
  summary: 'Retains by the noise loss while a lower-level loss moves the class to predictions of random other classes.',
  paper: { title: 'EraseDiff (Wu et al., 2024)', url: 'https://arxiv.org/abs/2401.05779' },
  version: 1,
  params,
  generation: defineGeneration({
    params,
    async run({ params, trainer, forget, retain }) {
      const { batchSize, dropCondition, balance, lambda, eta, inner, innerRate } = params
      const adaptive = balance === 'adaptive' ? eta : 0
      await trainer.optimizer({ ...params, bilevel: { inner, innerRate, adaptive } }).steps(params.steps, [
        {
          kind: 'other-class',
          items: forget,
          other: 'random',
          weight: lambda,
          reduction: 'sum',
          batchSize,
          dropCondition,
        },
        noiseTerm(retain, 1, params),
      ])
    },
  }),
})
