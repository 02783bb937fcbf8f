/** EU-k: exact unlearning of the last k layers, made fresh and trained on D_r while the others stay
 *  (https://arxiv.org/abs/2201.06640). Norms keep their scale and shift, as in the released code. */
import { defineMethod } from '../method.ts'
import { fitLabels, onClassification } from '../tasks/classification/vocabulary.ts'
import { lastLayers, onLastLayers, ownOf } from './parts/layers.ts'

export const euK = defineMethod({
  title: 'EU-k',
  summary: 'Gives the last k layers fresh weights and trains them alone on D_r.',
  paper: {
    title: 'Towards Adversarial Evaluations for Inexact Machine Unlearning (Goel et al., 2022)',
    url: 'https://arxiv.org/abs/2201.06640',
  },
  version: 1,
  mark: 16,
  on: {
    classification: onClassification({
      params: onLastLayers.extend({
        epochs: onLastLayers.shape.epochs
          .default(62)
          .describe('Passes over D_r: as many as the training of the original took, 62 in the released code.'),
      }),
      search: { learningRate: '1e-2..0.5' },
      async run({ params, trainer, retain }) {
        const layers = lastLayers(trainer.parameters, params.layers)
        const [moving, fresh] = [new Set(layers.flat()), new Set(layers.flatMap(ownOf))]
        await trainer.reinitialise((parameter) => fresh.has(parameter))
        const mask = trainer.select((parameter) => moving.has(parameter))
        await trainer.sgd({ ...params, mask }).descend([fitLabels(retain, params)], { passes: params.epochs })
      },
    }),
  },
})
