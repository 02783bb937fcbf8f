/** AMUN: fine-tunes on the adversarial neighbours of D_f, each with the wrong class that the original takes it for
 *  (https://arxiv.org/abs/2503.00917). The neighbours come from PGD in L2 balls whose radius doubles until the answer changes. */
import { z } from 'zod'
import { acting } from '../acting.ts'
import { defineMethod } from '../method.ts'
import { fitLabels, onClassification, sgd } from '../tasks/classification/vocabulary.ts'
import { answersTo } from './parts/answers.ts'
import { adversarialNeighbours, attack } from './parts/neighbours.ts'
import { masked, maskFor } from './parts/saliency.ts'

export const amun = defineMethod({
  title: 'AMUN',
  summary: 'Fine-tunes on the nearest images to D_f that the original gets wrong, with its wrong answers, beside D.',
  paper: {
    title: 'AMUN: Adversarial Machine UNlearning (Ebrahimpour-Boroojeny et al., ICML 2025)',
    url: 'https://arxiv.org/abs/2503.00917',
  },
  version: 1,
  mark: 27,
  on: {
    classification: onClassification({
      params: acting(
        sgd.extend({
          epochs: sgd.shape.epochs.describe('Passes over the neighbours and what stands beside them.'),
          batchSize: sgd.shape.batchSize.default(128),
          beside: z
            .enum(['all', 'retain', 'forget', 'nothing'])
            .default('all')
            .describe(
              'What is fitted beside the neighbours, with true labels: `all` of D (AMUN), `retain` only D_r (`advonly` in the released code), `forget` only D_f (AMUN without D_r), or `nothing` (`advonly` without D_r).',
            ),
          decayEvery: z
            .int()
            .min(1)
            .max(1000)
            .default(1)
            .describe(
              'Epochs after which the learning rate is multiplied by `decay` each time: 1 in the commands of the released code, which searches 1, 5 and 10.',
            ),
          decay: z.number().gt(0).max(1).default(0.1).describe('What the learning rate is then multiplied by.'),
          ...attack,
          ...masked,
        }),
      ),
      search: { learningRate: '1e-3..0.5' },
      async run(context) {
        const { params, trainer, forget, retain, labels } = context
        const { epochs, batchSize, learningRate, decayEvery, decay } = params
        const mask = await maskFor(context)
        const images = await adversarialNeighbours(context)
        // They follow the training set.
        const neighbours = Int32Array.from(forget, (_, i) => labels.length + i)
        const truth = Array.from(forget, (item) => labels[item]!)
        const answers = await answersTo(trainer, { items: neighbours, batchSize, beside: { images, labels: truth } })
        const found = neighbours.filter((_, i) => answers[i] !== truth[i])
        const others = { all: [...retain, ...forget], retain, forget, nothing: [] }[params.beside]
        const items = Int32Array.from([...others, ...found])
        if (items.length === 0)
          throw new Error(
            'amun: no image of D_f has a neighbour with another answer, and nothing stands beside them; set `beside`',
          )
        const optimizer = trainer.sgd({ ...params, mask })
        const term = fitLabels(items, { batchSize })
        for (let epoch = 0; epoch < epochs; epoch++) {
          const rate = learningRate * decay ** Math.floor(epoch / decayEvery)
          const on = { ...term.on, beside: { images, labels: answers } }
          await optimizer.descend([{ ...term, on }], { passes: 1, learningRate: rate })
        }
      },
    }),
  },
})
