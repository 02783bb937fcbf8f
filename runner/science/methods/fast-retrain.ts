/** Fast retrain: exact unlearning within a time limit. A fresh model on D_r by a recipe of few epochs, which every method must beat to
 *  be worth its approximation. */
import { z } from 'zod'
import { defineMethod } from '../method.ts'
import { fitLabels, onClassification, sgd } from '../tasks/classification/vocabulary.ts'
import { cosine } from './parts/schedule.ts'

export const fastRetrain = defineMethod({
  title: 'Fast retrain',
  summary: 'Trains a fresh model on D_r by a short recipe: exact unlearning, as good as its few epochs allow.',
  paper: null,
  version: 1,
  mark: 33,
  on: {
    classification: onClassification({
      params: sgd.extend({
        epochs: sgd.shape.epochs.default(5).describe('Passes over D_r.'),
        learningRate: sgd.shape.learningRate.default(0.1).describe('Largest learning rate of SGD.'),
        batchSize: sgd.shape.batchSize.default(128),
        warmUp: z
          .number()
          .min(0)
          .max(0.9)
          .default(0.3)
          .describe(
            'Share of the steps in which the learning rate rises to its largest; then it falls along half a cosine. 0 begins with the largest.',
          ),
      }),
      search: { learningRate: '1e-2..0.5' },
      async run({ params, trainer, retain }) {
        const { epochs, learningRate, batchSize, warmUp } = params
        await trainer.restore(trainer.fresh())
        const perEpoch = Math.ceil(retain.length / batchSize)
        const steps = epochs * perEpoch
        const rising = Math.floor(warmUp * steps)
        const rate = (step: number) =>
          learningRate * (step < rising ? (step + 1) / (rising + 1) : cosine(step - rising, steps - rising))
        const optimizer = trainer.sgd(params)
        for (let epoch = 0; epoch < epochs; epoch++) {
          const span = { passes: 1, learningRate: (step: number) => rate(epoch * perEpoch + step) }
          await optimizer.descend([fitLabels(retain, { batchSize })], span)
        }
      },
    }),
  },
})
