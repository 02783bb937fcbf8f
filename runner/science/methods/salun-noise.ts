/** SalUn with noise in the place of D_f: the images to be forgotten are never looked at. What it gains over fine-tuning has nothing to
 *  do with them; a method should gain more. */
import { acting } from '../acting.ts'
import { defineMethod } from '../method.ts'
import { fitLabels, onClassification } from '../tasks/classification/vocabulary.ts'
import { drawLabels, randomLabels } from './parts/relabel.ts'
import { density, freeze, maskKind } from './parts/saliency.ts'

export const salunNoise = defineMethod({
  title: 'SalUn on noise',
  summary: 'Does to as many images of uniform noise what SalUn does to D_f: a control that never sees D_f.',
  paper: { title: 'SalUn (Fan et al., ICLR 2024)', url: 'https://arxiv.org/abs/2310.12508' },
  version: 1,
  mark: 35,
  on: {
    classification: onClassification({
      params: acting(
        randomLabels.omit({ passes: true }).extend({
          mask: maskKind
            .default('saliency')
            .describe('How the movable weights are chosen, as SalUn does, with the noise under the labels of D_f.'),
          density,
          freeze,
        }),
      ),
      search: { learningRate: '1e-3..1e-1', density: '0.1..0.9' },
      async run({ params, trainer, verbs, forget, retain, labels, classes, random }) {
        const { epochs, batchSize, mask: kind, density } = params
        const size = verbs.imageShape.reduce((product, extent) => product * extent, 1)
        const noise = Uint8Array.from({ length: forget.length * size }, () => random.integer(256))
        const from = { images: noise, labels: Int32Array.from(forget, (item) => labels[item]!) }
        const items = forget.map((_, i) => i)
        const fitNoise = (drawn?: Int32Array) => {
          const term = fitLabels(items, { batchSize, labels: drawn })
          return { ...term, on: { ...term.on, from } }
        }
        const mask = kind === 'none' ? undefined : await trainer.mask({ kind, density, of: fitNoise() })
        const optimizer = trainer.sgd({ ...params, mask })
        for (let epoch = 0; epoch < epochs; epoch++) {
          const drawn = drawLabels(forget, labels, classes, params.labels, random)
          await optimizer.descend([fitNoise(drawn)], { passes: 1 })
          await optimizer.descend([fitLabels(retain, { batchSize })], { passes: 1 })
        }
      },
    }),
  },
})
