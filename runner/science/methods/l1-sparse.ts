/** l1-sparse: fine-tuning on D_r with a decaying L1 penalty on every parameter (https://arxiv.org/abs/2304.04934). */
import { z } from 'zod'
import { acting } from '../acting.ts'
import { defineMethod } from '../method.ts'
import { fitLabels, onClassification, sgd } from '../tasks/classification/vocabulary.ts'
import { masked, maskFor } from './parts/saliency.ts'

export const l1Sparse = defineMethod({
  title: 'l1-sparse',
  summary: 'Fine-tunes on D_r with an L1 penalty that decays linearly to zero; nothing is pruned.',
  paper: {
    title: 'Model Sparsity Can Simplify Machine Unlearning (Jia et al., NeurIPS 2023)',
    url: 'https://arxiv.org/abs/2304.04934',
  },
  version: 1,
  mark: 4,
  on: {
    classification: onClassification({
      params: acting(
        sgd.extend({
          ...masked,
          gamma: z
            .number()
            .min(0)
            .max(10)
            .default(5e-5)
            .describe(
              "Weight of the penalty in the first epoch. The reference code's default is 0.2; its paper searches [1e-6, 1e-4].",
            ),
          epochsWithoutL1: z.int().min(0).default(0).describe('Last epochs without a penalty.'),
        }),
      ),
      search: { learningRate: '1e-3..0.5', gamma: '1e-6..1e-3' },
      async run(context) {
        const { params, trainer, retain } = context
        const { epochs, gamma, epochsWithoutL1 } = params
        const optimizer = trainer.sgd({
          ...params,
          mask: await maskFor(context),
          penalty: ({ weights, number, multiply, sum, abs }) => multiply(number('gamma'), sum(abs(weights))),
        })
        const penalised = epochs - epochsWithoutL1
        for (let epoch = 0; epoch < epochs; epoch++) {
          const left = epoch < penalised ? 1 - epoch / penalised : 0
          await optimizer.descend([fitLabels(retain, params)], { passes: 1, numbers: { gamma: gamma * left } })
        }
      },
    }),
  },
})
