/** l1-sparse: fine-tuning on D_r with a decaying L1 penalty on every parameter (https://arxiv.org/abs/2304.04934). */
import { z } from 'zod'
import { defineMethod, sgd } from '../method.ts'

export const l1Sparse = defineMethod({
  title: 'l1-sparse',
  summary: 'Fine-tunes on D_r with an L1 penalty that decays linearly to zero; nothing is pruned.',
  paper: {
    title: 'Model Sparsity Can Simplify Machine Unlearning (Jia et al., NeurIPS 2023)',
    url: 'https://arxiv.org/abs/2304.04934',
  },
  version: 1,
  params: sgd.extend({
    /** Weight of the penalty in the first epoch. The reference code's default is 0.2; its paper searches [1e-6, 1e-4]. */
    gamma: z.number().min(0).max(10).default(5e-5),
    /** Last epochs without a penalty. */
    epochsWithoutL1: z.int().min(0).default(0),
  }),
  async run({ params, trainer, retain }) {
    const { epochs, gamma, epochsWithoutL1 } = params
    const optimizer = trainer.optimizer(params)
    for (let epoch = 0; epoch < epochs; epoch++) {
      const l1 = gamma * Math.max(0, 1 - epoch / (epochs - epochsWithoutL1))
      await optimizer.pass(retain, { ...params, l1 })
    }
  },
})
