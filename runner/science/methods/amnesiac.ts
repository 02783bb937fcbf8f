/** Amnesiac unlearning by relabelling: D_f with wrong labels that are drawn once, mixed into D_r
 *  (https://arxiv.org/abs/2010.10981). The paper's other way, to log each update of the training and take back those of the batches
 *  with sensitive images, needs a log that no training here keeps. */
import { acting } from '../acting.ts'
import { defineMethod } from '../method.ts'
import { adamPasses, fitLabels, onClassification } from '../tasks/classification/vocabulary.ts'
import { drawLabels, randomLabels } from './parts/relabel.ts'
import { maskFor, plainMasked } from './parts/saliency.ts'

export const amnesiac = defineMethod({
  title: 'Amnesiac',
  summary: 'Draws wrong labels for D_f once and fits them, mixed with D_r and its own labels.',
  paper: { title: 'Amnesiac Machine Learning (Graves et al., AAAI 2021)', url: 'https://arxiv.org/abs/2010.10981' },
  version: 1,
  mark: 21,
  on: {
    classification: onClassification({
      params: acting(
        adamPasses.extend({
          epochs: adamPasses.shape.epochs.default(3).describe('Passes over D_f and D_r, mixed.'),
          learningRate: adamPasses.shape.learningRate
            .default(1e-4)
            .describe('Learning rate of Adam; 0.0001 as the released code of SSD runs this method.'),
          batchSize: adamPasses.shape.batchSize.default(128),
          labels: randomLabels.shape.labels
            .default('wrong')
            .describe('`wrong` never draws the true label (paper and code); `any` may.'),
          ...plainMasked,
        }),
      ),
      search: { learningRate: '1e-4..1e-2' },
      async run(context) {
        const { params, trainer, forget, retain, labels, classes, random } = context
        const drawn = drawLabels(forget, labels, classes, params.labels, random)
        const items = Int32Array.from([...forget, ...retain])
        const wanted = items.map((item, i) => (i < forget.length ? drawn[i]! : labels[item]!))
        const { batchSize, epochs } = params
        const optimizer = trainer.adam({ ...params, mask: await maskFor(context) })
        await optimizer.descend([fitLabels(items, { batchSize, labels: wanted })], { passes: epochs })
      },
    }),
  },
})
