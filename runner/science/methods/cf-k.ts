/** CF-k: catastrophic forgetting of the last k layers, fine-tuned on D_r while the others stay (https://arxiv.org/abs/2201.06640).
 *  Statistics of batch norm go on moving in all layers, as in the released code. */
import { defineMethod } from '../method.ts'
import { fitLabels, onClassification } from '../tasks/classification/vocabulary.ts'
import { lastLayers, onLastLayers } from './parts/layers.ts'

export const cfK = defineMethod({
  title: 'CF-k',
  summary: 'Fine-tunes the last k layers on D_r and leaves the others as they are.',
  paper: {
    title: 'Towards Adversarial Evaluations for Inexact Machine Unlearning (Goel et al., 2022)',
    url: 'https://arxiv.org/abs/2201.06640',
  },
  version: 1,
  mark: 15,
  on: {
    classification: onClassification({
      params: onLastLayers,
      search: { learningRate: '1e-3..0.5' },
      async run({ params, trainer, retain }) {
        const moving = new Set(lastLayers(trainer.parameters, params.layers).flat())
        const mask = trainer.select((parameter) => moving.has(parameter))
        await trainer.sgd({ ...params, mask }).descend([fitLabels(retain, params)], { passes: params.epochs })
      },
    }),
  },
})
