/** Gradient ascent on D_f (the GA row of SalUn's Table 1, https://arxiv.org/abs/2310.12508). */
import { z } from 'zod'
import { defineMethod, sgd } from '../method.ts'
import { defineGeneration, denoiserSteps, noiseTerm } from '../tasks/generation.ts'

export const ga = defineMethod({
  title: 'GA',
  summary: 'Climbs the loss on D_f and never looks at D_r; batch-norm statistics follow D_f.',
  paper: { title: 'Unrolling SGD (Thudi et al., EuroS&P 2022)', url: 'https://arxiv.org/abs/2109.13398' },
  version: 1,
  params: sgd.extend({
    epochs: sgd.shape.epochs.default(5),
    learningRate: sgd.shape.learningRate.default(1e-4),
  }),
  async run({ params, trainer, forget }) {
    const optimizer = trainer.optimizer(params)
    for (let epoch = 0; epoch < params.epochs; epoch++) await optimizer.pass(forget, { ...params, ascend: true })
  },
  generation: defineGeneration({
    params: denoiserSteps.extend({
      /** Factor of the loss on D_r, descended beside the loss on D_f that is climbed; 0 never looks at D_r. */
      alpha: z.number().min(0).max(1000).default(0),
    }),
    async run({ params, trainer, forget, retain }) {
      const remain = params.alpha > 0 ? [noiseTerm(retain, params.alpha, params)] : []
      await trainer.optimizer(params).steps(params.steps, [noiseTerm(forget, -1, params), ...remain])
    },
  }),
})
