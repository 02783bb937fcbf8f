/** Gradient ascent on D_f (the GA row of SalUn's Table 1, https://arxiv.org/abs/2310.12508). */
import { z } from 'zod'
import { acting } from '../acting.ts'
import { defineMethod } from '../method.ts'
import { onClassification, sgd } from '../tasks/classification/vocabulary.ts'
import { adamSteps, fitImages, onGeneration } from '../tasks/generation/vocabulary.ts'
import { denoiserMasked, denoiserMaskFor, masked, maskFor } from './parts/saliency.ts'

export const ga = defineMethod({
  title: 'GA',
  summary: 'Climbs the loss on D_f and never looks at D_r; batch-norm statistics follow D_f.',
  paper: { title: 'Unrolling SGD (Thudi et al., EuroS&P 2022)', url: 'https://arxiv.org/abs/2109.13398' },
  version: 1,
  mark: 3,
  on: {
    classification: onClassification({
      params: acting(
        sgd.extend({
          epochs: sgd.shape.epochs.default(5),
          learningRate: sgd.shape.learningRate.default(1e-4),
          ...masked,
        }),
      ),
      search: { learningRate: '1e-5..1e-2' },
      async run(context) {
        const { params, trainer, forget } = context
        const { epochs, batchSize } = params
        await trainer.sgd({ ...params, mask: await maskFor(context) }).descend(
          [
            {
              on: { items: forget, batchSize },
              loss: ({ logits, labels, crossEntropy }) => crossEntropy(logits, labels),
              weight: -1,
            },
          ],
          { passes: epochs },
        )
      },
    }),
    generation: onGeneration({
      params: acting(
        adamSteps.extend({
          ...denoiserMasked,
          alpha: z
            .number()
            .min(0)
            .max(1000)
            .default(0)
            .describe(
              'Factor of the loss on D_r, descended beside the loss on D_f that is climbed; 0 never looks at D_r.',
            ),
        }),
      ),
      async run(context) {
        const { params, trainer, forget, retain } = context
        const { steps, alpha } = params
        const remain = alpha > 0 ? [fitImages(retain, params, alpha)] : []
        const optimizer = trainer.adam({ ...params, mask: await denoiserMaskFor(context) })
        await optimizer.descend([fitImages(forget, params, -1), ...remain], { steps })
      },
    }),
  },
})
