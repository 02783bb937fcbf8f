/** Fine-tuning on D_r (the FT row of SalUn's Table 1, https://arxiv.org/abs/2310.12508). */
import { acting } from '../acting.ts'
import { defineMethod } from '../method.ts'
import * as classification from '../tasks/classification/vocabulary.ts'
import * as generation from '../tasks/generation/vocabulary.ts'
import { denoiserMasked, denoiserMaskFor, masked, maskFor } from './parts/saliency.ts'

export const ft = defineMethod({
  title: 'FT',
  summary: 'Fine-tunes the original on D_r and relies on catastrophic forgetting of D_f.',
  paper: {
    title: 'Eternal Sunshine of the Spotless Net (Golatkar et al., CVPR 2020)',
    url: 'https://arxiv.org/abs/1911.04933',
  },
  version: 1,
  mark: 1,
  on: {
    classification: classification.onClassification({
      params: acting(classification.sgd.extend(masked)),
      search: { learningRate: '1e-3..0.5' },
      async run(context) {
        const { params, trainer, retain } = context
        const optimizer = trainer.sgd({ ...params, mask: await maskFor(context) })
        await optimizer.descend([classification.fitLabels(retain, params)], { passes: params.epochs })
      },
    }),
    generation: generation.onGeneration({
      params: acting(generation.adamSteps.extend(denoiserMasked)),
      async run(context) {
        const { params, trainer, retain } = context
        const optimizer = trainer.adam({ ...params, mask: await denoiserMaskFor(context) })
        await optimizer.descend([generation.fitImages(retain, params)], { steps: params.steps })
      },
    }),
  },
})
