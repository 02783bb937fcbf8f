/** SalUn-soft: random labels with a proximal step that undoes the smallest changes (https://arxiv.org/abs/2310.12508,
 *  Appendix B; `RL_proximal` in the released code). */
import { z } from 'zod'
import { defineMethod } from '../method.ts'
import { randomLabels, relabelPass } from './parts/relabel.ts'

export const salunSoft = defineMethod({
  title: 'SalUn-soft',
  summary:
    'Fits random labels on D_f and, after each step, shrinks every change of the weights and undoes the smallest.',
  paper: { title: 'SalUn (Fan et al., ICLR 2024)', url: 'https://arxiv.org/abs/2310.12508' },
  version: 1,
  params: randomLabels.extend({
    passes: randomLabels.shape.passes.default('mixed'),
    /** Share of the changes undone in the first epoch; it falls linearly with the epochs. */
    undoneShare: z.number().min(0).max(1).default(0.5),
    /** Weights from which change is measured: those at the start of each epoch (the released code) or the original's. */
    anchor: z.enum(['epoch', 'original']).default('epoch'),
  }),
  async run(context) {
    const { epochs, undoneShare, anchor } = context.params
    const optimizer = context.trainer.optimizer({ ...context.params, proximal: true })
    for (let epoch = 0; epoch < epochs; epoch++) {
      if (epoch === 0 || anchor === 'epoch') optimizer.anchor()
      await relabelPass(context, optimizer, { undoneShare: undoneShare * (1 - epoch / epochs) })
    }
  },
})
