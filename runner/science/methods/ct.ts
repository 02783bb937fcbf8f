/** CT, convolution transpose: turns every kernel over and fine-tunes on D_r until the network has found back
 *  (the fifth of the NeurIPS 2023 unlearning challenge, as in Deep Unlearn, https://arxiv.org/abs/2410.01276). */
import { defineMethod, UnfitError } from '../method.ts'
import { fitLabels, onClassification, sgd } from '../tasks/classification/vocabulary.ts'
import { cosine } from './parts/schedule.ts'

export const ct = defineMethod({
  title: 'CT',
  summary: 'Swaps height and width of every convolution kernel, then fine-tunes on D_r as the learning rate falls.',
  paper: { title: 'Deep Unlearn (Cadet et al., 2024)', url: 'https://arxiv.org/abs/2410.01276' },
  version: 1,
  mark: 22,
  on: {
    classification: onClassification({
      params: sgd.extend({
        epochs: sgd.shape.epochs.default(3).describe('Passes over D_r.'),
        learningRate: sgd.shape.learningRate
          .default(1e-3)
          .describe('Learning rate of SGD in the first pass; it falls by a cosine from pass to pass.'),
        batchSize: sgd.shape.batchSize.default(64),
      }),
      search: { learningRate: '1e-3..0.5' },
      async run({ params, trainer, retain }) {
        const { epochs } = params
        const kernels = trainer.parameters.filter(({ shape }) => shape.length === 4 && shape[2] === shape[3])
        if (!kernels.some(({ shape }) => shape[2]! > 1))
          throw new UnfitError('expected convolutions whose kernels can be turned over; this model has none')
        const weights = await trainer.read()
        await trainer.write(new Map(kernels.map(({ name, shape }) => [name, turned(weights.get(name)!, shape[3]!)])))
        const optimizer = trainer.sgd(params)
        for (let epoch = 0; epoch < epochs; epoch++) {
          const learningRate = params.learningRate * cosine(epoch, epochs)
          await optimizer.descend([fitLabels(retain, params)], { passes: 1, learningRate })
        }
      },
    }),
  },
})

/** Each square of `width` rows and columns with both swapped. */
function turned(values: Float32Array, width: number): Float32Array {
  return values.map((_, at) => {
    const within = at % (width * width)
    const [row, column] = [Math.floor(within / width), within % width]
    return values[at - within + column * width + row]!
  })
}
