/** SalUn-soft: random labels with a proximal step that undoes the smallest changes (https://arxiv.org/abs/2310.12508,
 *  Appendix B; `RL_proximal` in the released code). */
import { z } from 'zod'
import { defineMethod } from '../method.ts'
import { onClassification } from '../tasks/classification/vocabulary.ts'
import { randomLabels, relabelPass } from './parts/relabel.ts'

export const salunSoft = defineMethod({
  title: 'SalUn-soft',
  summary:
    'Fits random labels on D_f and, after each step, shrinks every change of the weights and undoes the smallest.',
  paper: { title: 'SalUn (Fan et al., ICLR 2024)', url: 'https://arxiv.org/abs/2310.12508' },
  version: 1,
  mark: 5,
  on: {
    classification: onClassification({
      params: randomLabels.extend({
        passes: randomLabels.shape.passes.default('mixed'),
        undoneShare: z
          .number()
          .min(0)
          .max(1)
          .default(0.5)
          .describe('Share of the changes undone in the first epoch; it falls linearly with the epochs.'),
        anchor: z
          .enum(['epoch', 'original'])
          .default('epoch')
          .describe(
            'Weights from which change is measured: those at the start of each epoch (the released code) or the original.',
          ),
      }),
      search: { learningRate: '1e-3..1e-1', undoneShare: '0.1..0.9' },
      async run(context) {
        const { params, trainer } = context
        const { epochs, undoneShare } = params
        const anchor = trainer.keep()
        const total = trainer.parameters.reduce((sum, { size }) => sum + size, 0)
        const optimizer = trainer.sgd({
          ...params,
          after: ({ weights, weightsOf, number, shrinkChanges }) =>
            shrinkChanges(weights, weightsOf(anchor), number('undone')),
        })
        for (let epoch = 0; epoch < epochs; epoch++) {
          if (params.anchor === 'epoch') anchor.retake()
          const undone = Math.floor(undoneShare * (1 - epoch / epochs) * total)
          await relabelPass(context, optimizer, { undone })
        }
      },
    }),
  },
})
