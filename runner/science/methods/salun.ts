/** SalUn: random labels, changing only the weights that matter for D_f (https://arxiv.org/abs/2310.12508, Eq. 3 to 6). */
import { acting } from '../acting.ts'
import { defineMethod } from '../method.ts'
import { onClassification } from '../tasks/classification/vocabulary.ts'
import { onGeneration } from '../tasks/generation/vocabulary.ts'
import { otherClass, otherClassTerms } from './parts/other-class.ts'
import { randomLabels, relabelPass } from './parts/relabel.ts'
import { denoiserMaskFor, density, freeze, maskFor, maskGuidance, maskKind } from './parts/saliency.ts'

/** SalUn is its mask, which therefore has another default here than where it is put on a method. */
const mask = maskKind
  .default('saliency')
  .describe(
    'How the movable weights are chosen: by saliency, or as controls at the same density: `random`, `inverted` (the least salient), `none` (all weights move: RL).',
  )

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
      params: acting(randomLabels.extend({ mask, density, freeze })),
      search: { learningRate: '1e-3..1e-1', density: '0.1..0.9' },
      async run(context) {
        const { params, trainer } = context
        const optimizer = trainer.sgd({ ...params, mask: await maskFor(context) })
        for (let epoch = 0; epoch < params.epochs; epoch++) await relabelPass(context, optimizer)
      },
    }),
    generation: onGeneration({
      params: acting(otherClass.extend({ mask, density, maskGuidance })),
      async run(context) {
        const { params, trainer } = context
        const optimizer = trainer.adam({ ...params, mask: await denoiserMaskFor(context) })
        await optimizer.descend(otherClassTerms(context), { steps: params.steps })
      },
    }),
  },
})
