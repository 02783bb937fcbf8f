/** Random labels: D_f with labels drawn anew, then D_r with its own (the RL row of SalUn's Table 1, which is SalUn without
 *  a mask, https://arxiv.org/abs/2310.12508). */
import { defineMethod } from '../method.ts'
import { onClassification } from '../tasks/classification/vocabulary.ts'
import { onGeneration } from '../tasks/generation/vocabulary.ts'
import { otherClass, otherClassTerms } from './parts/other-class.ts'
import { randomLabels, relabelPass } from './parts/relabel.ts'

export const rl = defineMethod({
  title: 'RL',
  summary: 'Each epoch fits random labels on D_f and true labels on D_r.',
  paper: { title: 'Amnesiac Machine Learning (Graves et al., AAAI 2021)', url: 'https://arxiv.org/abs/2010.10981' },
  version: 1,
  mark: 2,
  on: {
    classification: onClassification({
      params: randomLabels,
      search: { learningRate: '1e-3..1e-1' },
      async run(context) {
        const optimizer = context.trainer.sgd(context.params)
        for (let epoch = 0; epoch < context.params.epochs; epoch++) await relabelPass(context, optimizer)
      },
    }),
    generation: onGeneration({
      params: otherClass,
      async run(context) {
        const { params, trainer } = context
        await trainer.adam(params).descend(otherClassTerms(context), { steps: params.steps })
      },
    }),
  },
})
