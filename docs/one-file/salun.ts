/** SalUn: fits random labels on D_f and true labels on D_r, moving only the weights that matter for D_f. With types: they are taken
 *  off, and so are imports of types. */
import type { Context, Optimizer } from '../../runner/science/method.ts'
import type { ClassifierTypes } from '../../runner/science/tasks/classification/vocabulary.ts'

interface Params {
  epochs: number
  learningRate: number
  batchSize: number
  momentum: number
  weightDecay: number
  labels: 'any' | 'wrong'
  density: number
}
type Here = Context<ClassifierTypes, Params>

/** A label for each item of D_f, uniform over the classes or over the wrong ones. */
const drawLabels = ({ params, forget, labels, classes, random }: Here): Int32Array =>
  Int32Array.from(forget, (item) => {
    if (params.labels === 'any') return random.integer(classes)
    const other = random.integer(classes - 1)
    return other < labels[item]! ? other : other + 1
  })

async function relabelPass(here: Here, optimizer: Optimizer<ClassifierTypes>): Promise<void> {
  const { forget, retain, params } = here
  await optimizer.descend([fitLabels(forget, { ...params, labels: drawLabels(here) })], { passes: 1 })
  await optimizer.descend([fitLabels(retain, { batchSize: params.batchSize })], { passes: 1 })
}

export default defineMethod({
  title: 'SalUn of one file',
  summary:
    'Fits random labels on D_f and true labels on D_r, moving only the weights with the largest forget-loss gradient.',
  paper: { title: 'SalUn (Fan et al., ICLR 2024)', url: 'https://arxiv.org/abs/2310.12508' },
  on: {
    classification: onClassification({
      params: {
        ...sgd,
        labels: { type: 'choice', of: ['any', 'wrong'], default: 'any', about: 'Classes that labels are drawn from.' },
        density: { type: 'number', above: 0, max: 1, default: 0.5, about: 'Share of the weights that may move.' },
      },
      search: { learningRate: '1e-3..1e-1', density: '0.1..0.9' },
      async run(here: Here) {
        const { params, trainer, forget } = here
        const { density, batchSize, epochs } = params
        const mask = await trainer.mask({ kind: 'saliency', density, of: fitLabels(forget, { batchSize }) })
        const optimizer = trainer.sgd({ ...params, mask })
        for (let epoch = 0; epoch < epochs; epoch++) await relabelPass(here, optimizer)
      },
    }),
  },
})
