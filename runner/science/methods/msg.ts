/** MSG, masked small gradients: makes fresh the kernel weights on which D_r and D_f agree, then fine-tunes on D_r
 *  (the second of the NeurIPS 2023 unlearning challenge, as in Deep Unlearn, https://arxiv.org/abs/2410.01276). Fresh values are
 *  those that the model begins with. */
import { z } from 'zod'
import { largest } from '../mask.ts'
import { defineMethod, UnfitError } from '../method.ts'
import { fitLabels, onClassification, sgd } from '../tasks/classification/vocabulary.ts'

export const msg = defineMethod({
  title: 'MSG',
  summary:
    'Makes fresh the convolution weights with the smallest difference of gradients on D_r and D_f, then fine-tunes on D_r.',
  paper: { title: 'Deep Unlearn (Cadet et al., 2024)', url: 'https://arxiv.org/abs/2410.01276' },
  version: 1,
  mark: 23,
  on: {
    classification: onClassification({
      params: sgd.extend({
        epochs: sgd.shape.epochs.default(5).describe('Passes over D_r.'),
        learningRate: sgd.shape.learningRate
          .default(1e-3)
          .describe(
            'Largest learning rate of SGD: it climbs over the first half of the passes and falls over the second.',
          ),
        batchSize: sgd.shape.batchSize.default(64),
        freshShare: z
          .number()
          .min(0)
          .max(1)
          .default(0.3)
          .describe('Share of the weights of each convolution that are made fresh.'),
        others: z
          .number()
          .min(0)
          .max(1)
          .default(0.1)
          .describe('Factor of the gradient of the other weights of a convolution; 0.1 in the released code.'),
      }),
      search: { learningRate: '1e-3..0.5', freshShare: '0.1..0.9' },
      async run({ params, trainer, forget, retain, random }) {
        const { epochs, learningRate, batchSize, freshShare, others } = params
        const kernels = trainer.parameters.filter(({ shape }) => shape.length === 4)
        if (kernels.length === 0) throw new UnfitError('expected a model with convolutions; this one has none')
        // As many images of D_r as D_f has.
        const part = random.shuffle(retain).subarray(0, forget.length)
        const [ofRetain, ofForget] = [
          await trainer.gradient(fitLabels(part, { batchSize })),
          await trainer.gradient(fitLabels(forget, { batchSize })),
        ]
        const before = await trainer.read()
        await trainer.reinitialise((parameter) => kernels.includes(parameter))
        const fresh = await trainer.read()
        const chosen = new Map(
          kernels.map(({ name, size }) => {
            const [a, b] = [ofRetain.get(name)!, ofForget.get(name)!]
            const smallness = a.map((slope, i) => -Math.abs(slope - b[i]!))
            return [name, largest(smallness, Math.round(freshShare * size))]
          }),
        )
        const mixed = (name: string, i: number) => (chosen.get(name)![i] ? fresh : before).get(name)![i]!
        await trainer.write(new Map(kernels.map(({ name, size }) => [name, floats(size, (i) => mixed(name, i))])))
        const scale = trainer.hold(
          new Map(
            trainer.parameters.map(({ name, size }) => {
              const own = chosen.get(name)
              return [name, floats(size, (i) => (own && !own[i] ? others : 1))]
            }),
          ),
        )
        const optimizer = trainer.sgd({
          ...params,
          direction: ({ gradient, weightsOf, multiply }) => multiply(gradient(0), weightsOf(scale)),
        })
        const rising = Math.floor((epochs + 1) / 2)
        for (let epoch = 1; epoch <= epochs; epoch++) {
          const rate = epoch <= rising ? epoch / rising : (epochs + 1 - epoch) / (epochs + 1 - rising)
          await optimizer.descend([fitLabels(retain, { batchSize })], { passes: 1, learningRate: learningRate * rate })
        }
      },
    }),
  },
})

const floats = (length: number, of: (i: number) => number) => Float32Array.from({ length }, (_, i) => of(i))
