/** UNSIR: learns images that are as little of the class as can be, trains on them as the class, and repairs what that broke
 *  (https://arxiv.org/abs/2111.08947). Noise is learned in pixels, 1 being white; in the released code in pixels that were
 *  normalised before. */
import { z } from 'zod'
import { defineMethod } from '../method.ts'
import { onClassification } from '../tasks/classification/vocabulary.ts'

const count = (usual: number, most: number) => z.int().min(1).max(most).default(usual)
const rate = (usual: number) => z.number().positive().max(10).default(usual)

export const unsir = defineMethod({
  title: 'UNSIR',
  summary: 'Learns noise that maximises the loss of the class, fits it as the class beside D_r, then repairs on D_r.',
  paper: {
    title: 'Fast Yet Effective Machine Unlearning (Tarun et al., TNNLS 2023)',
    url: 'https://arxiv.org/abs/2111.08947',
  },
  version: 1,
  mark: 24,
  on: {
    classification: onClassification({
      search: { impairRate: '1e-3..1e-1', repairRate: '1e-3..1e-1' },
      requests: ['class'],
      params: z.strictObject({
        batchSize: count(256, 4096).describe('Images in a batch.'),
        noiseImages: count(256, 4096).describe(
          'How many images of noise are learned; a batch of them in the released code.',
        ),
        noiseSteps: count(40, 10_000).describe('Steps of Adam on the noise: 5 times 8 in the released code.'),
        noiseRate: rate(0.1).describe('Learning rate of those steps.'),
        noisePenalty: z
          .number()
          .min(0)
          .max(1000)
          .default(0.1)
          .describe('λ of λ |n|², which is descended beside the loss that the noise n climbs.'),
        copies: count(20, 1000).describe('How often each image of noise is gone over in a pass that impairs.'),
        perClass: count(1000, 100_000).describe('Images of each other class that are gone over, the first of D_r.'),
        impairPasses: count(1, 100).describe('Passes over the noise as the class and those images, mixed.'),
        impairRate: rate(0.02).describe('Learning rate of Adam in these passes.'),
        repairPasses: z.int().min(0).max(100).default(1).describe('Passes over those images alone, afterwards.'),
        repairRate: rate(0.01).describe('Learning rate of Adam in these.'),
      }),
      async run({ params, trainer, verbs, forget, retain, forgotten, labels, random }) {
        const { batchSize, noiseImages, noiseSteps, noiseRate, noisePenalty, copies, perClass } = params
        const shape = [noiseImages, ...verbs.imageShape]
        const size = shape.reduce((product, extent) => product * extent, 1)
        const learner = trainer.adam({
          learningRate: noiseRate,
          mask: trainer.select(() => false),
          own: { noise: { shape, values: Float32Array.from({ length: size }, () => random.normal()) } },
        })
        await learner.descend(
          [
            {
              on: { items: forget, batchSize: noiseImages },
              loss({ labels, own, logitsOf, crossEntropy, add, negate, multiply, square, sum }) {
                const noise = own('noise')
                const loss = crossEntropy(logitsOf({ images: noise, evaluation: true }), labels)
                return add(negate(loss), multiply(noisePenalty / noiseImages, sum(square(noise))))
              },
            },
          ],
          { steps: noiseSteps },
        )
        const noise = await learner.own('noise')
        const taken = new Map<number, number>()
        const kept = retain.filter((item) => {
          const before = taken.get(labels[item]!) ?? 0
          taken.set(labels[item]!, before + 1)
          return before < perClass
        })
        // Noise follows the images of the training set.
        const noisy = Int32Array.from({ length: noiseImages * copies }, (_, i) => labels.length + (i % noiseImages))
        const beside = { images: noise, labels: new Int32Array(noiseImages).fill(forgotten[0]!) }
        const pass = (items: Int32Array, learningRate: number, passes: number) =>
          trainer.adam({ learningRate }).descend(
            [
              {
                on: { items, batchSize, beside },
                loss: ({ logits, labels, crossEntropy }) => crossEntropy(logits, labels),
              },
            ],
            { passes },
          )
        await pass(Int32Array.from([...noisy, ...kept]), params.impairRate, params.impairPasses)
        if (params.repairPasses > 0) await pass(kept, params.repairRate, params.repairPasses)
      },
    }),
  },
})
