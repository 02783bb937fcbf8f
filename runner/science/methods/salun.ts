/** SalUn: random labels, changing only the weights that matter for D_f (https://arxiv.org/abs/2310.12508, Eq. 3 to 6). */
import { z } from 'zod'
import { acting, actingWith } from '../acting.ts'
import { defineMethod } from '../method.ts'
import { fitLabels, onClassification } from '../tasks/classification/vocabulary.ts'
import { onGeneration } from '../tasks/generation/vocabulary.ts'
import { otherClass, otherClassTerms } from './parts/other-class.ts'
import { randomLabels, relabelPass } from './parts/relabel.ts'

/** Parameters of a mask. */
const MASKED = { mask: ['saliency', 'random', 'inverted'] }

const saliency = {
  mask: z
    .enum(['saliency', 'random', 'inverted', 'none'])
    .default('saliency')
    .describe(
      'How the movable weights are chosen: by saliency, or as controls at the same density: `random`, `inverted` (the least salient), `none` (all weights move: RL).',
    ),
  density: actingWith(
    z
      .number()
      .gt(0)
      .max(1)
      .default(0.5)
      .describe("Mask density: share of all parameters that may move; 0.5 is the paper's median threshold."),
    MASKED,
  ),
}

/** Adam as it is used here has no decay, so that both would be one. */
const freezing = {
  freeze: actingWith(
    z
      .enum(['hard', 'gradient'])
      .default('hard')
      .describe(
        '`hard` keeps the other weights bit for bit (the paper, and the released code since 2026-02-28); `gradient` masks only the gradient, so weight decay and momentum still move them (the code behind the published numbers).',
      ),
    MASKED,
  ),
}

export const salun = defineMethod({
  title: 'SalUn',
  summary:
    'Fits random labels on D_f and true labels on D_r, moving only the weights with the largest forget-loss gradient.',
  paper: { title: 'SalUn (Fan et al., ICLR 2024)', url: 'https://arxiv.org/abs/2310.12508' },
  version: 1,
  mark: 0,
  example: true,
  on: {
    classification: onClassification({
      params: acting(randomLabels.extend({ ...saliency, ...freezing })),
      async run(context) {
        const { params, trainer, forget } = context
        const { mask: kind, density } = params
        const mask =
          kind === 'none'
            ? undefined
            : await trainer.mask({ kind, density, of: fitLabels(forget, { batchSize: params.batchSize }) })
        const optimizer = trainer.sgd({ ...params, mask })
        for (let epoch = 0; epoch < params.epochs; epoch++) await relabelPass(context, optimizer)
      },
    }),
    generation: onGeneration({
      params: acting(
        otherClass.extend({
          ...saliency,
          maskGuidance: actingWith(
            z
              .number()
              .min(0)
              .max(100)
              .default(2)
              .describe(
                'Guidance of the prediction whose loss gives the saliency: 2 in the released code; 0 takes the plain loss.',
              ),
            { mask: ['saliency', 'inverted'] },
          ),
        }),
      ),
      async run(context) {
        const { params, trainer, forget } = context
        const { mask: kind, density, batchSize, maskGuidance: guidance } = params
        const mask =
          kind === 'none'
            ? undefined
            : await trainer.mask({
                kind,
                density,
                clipNorm: 1,
                of: {
                  on: { items: forget, batchSize },
                  loss: ({ x, t, label, noise, predict, squaredError }) =>
                    squaredError(noise, predict({ x, t, label }, { guidance }), 'sum'),
                },
              })
        await trainer.adam({ ...params, mask }).descend(otherClassTerms(context), { steps: params.steps })
      },
    }),
  },
})
