/** Fine-tuning on D_r (the FT row of SalUn's Table 1, https://arxiv.org/abs/2310.12508). */
import { z } from 'zod'
import { defineMethod, sgd } from '../method.ts'
import { defineGeneration, denoiserSteps, noiseTerm } from '../tasks/generation.ts'

export const ft = defineMethod({
  title: 'FT',
  summary: 'Fine-tunes the original on D_r and relies on catastrophic forgetting of D_f.',
  paper: {
    title: 'Eternal Sunshine of the Spotless Net (Golatkar et al., CVPR 2020)',
    url: 'https://arxiv.org/abs/1911.04933',
  },
  version: 1,
  params: z.strictObject({ ...sgd.shape }),
  async run({ params, trainer, retain }) {
    const optimizer = trainer.optimizer(params)
    for (let epoch = 0; epoch < params.epochs; epoch++) await optimizer.pass(retain, params)
  },
  generation: defineGeneration({
    params: denoiserSteps,
    async run({ params, trainer, retain }) {
      await trainer.optimizer(params).steps(params.steps, [noiseTerm(retain, 1, params)])
    },
  }),
})
