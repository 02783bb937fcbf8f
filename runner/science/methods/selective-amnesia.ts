/** Selective Amnesia: continual learning turned round, with a surrogate for what is forgotten
 *  (https://arxiv.org/abs/2305.10120). */
import { z } from 'zod'
import { defineMethod } from '../method.ts'
import { adamSteps, type DiffusionBatch, type DiffusionTerm, onGeneration } from '../tasks/generation/vocabulary.ts'

export const selectiveAmnesia = defineMethod({
  title: 'Selective Amnesia',
  summary:
    'Fits uniform noise as the class, replays samples of the other classes and holds on to the weights they need.',
  paper: {
    title: 'Selective Amnesia (Heng and Soh, NeurIPS 2023)',
    url: 'https://arxiv.org/abs/2305.10120',
  },
  version: 1,
  mark: 10,
  on: {
    generation: onGeneration({
      params: adamSteps.extend({
        steps: adamSteps.shape.steps
          .default(20_000)
          .describe("Steps of Adam; the paper's code takes 20,000 for CIFAR-10."),
        elastic: z
          .number()
          .min(0)
          .max(1e6)
          .default(10)
          .describe('λ of λ Σ F (θ − θ0)², with the Fisher information F of the original on its own samples.'),
        replay: z
          .number()
          .min(0)
          .max(1000)
          .default(1)
          .describe(
            'γ: factor of the loss on samples of the remaining classes that the original made (generative replay).',
          ),
        perClass: z
          .int()
          .min(1)
          .max(10_000)
          .default(500)
          .describe('Samples of each remaining class, for F and for replay.'),
        sampleSteps: z.int().min(1).max(1000).default(50).describe('DDIM steps of those samples.'),
        sampleGuidance: z.number().min(0).max(100).default(2).describe('Guidance of those samples.'),
      }),
      async run({ params, trainer, verbs, forgotten, classes }) {
        const { batchSize, dropCondition, perClass, sampleGuidance: guidance, sampleSteps: steps } = params
        const original = trainer.keep()
        const others = Array.from({ length: classes }, (_, label) => label).filter((label) => label !== forgotten)
        const samples = await verbs.generate({ classes: others, perClass, guidance, steps })
        const importance = trainer.hold(await trainer.importance(noiseLoss({ from: samples, batchSize: 1 })))
        const optimizer = trainer.adam({
          ...params,
          penalty: ({ weights, weightsOf, subtract, multiply, sum, square }) =>
            multiply(
              params.elastic,
              sum(multiply(weightsOf(importance), square(subtract(weights, weightsOf(original))))),
            ),
        })
        await optimizer.descend(
          [
            noiseLoss({ uniform: forgotten!, batchSize }),
            { ...noiseLoss({ from: samples, batchSize, dropCondition }), weight: params.replay },
          ],
          { steps: params.steps },
        )
      },
    }),
  },
})

const noiseLoss = (on: DiffusionBatch): DiffusionTerm => ({
  on,
  loss: ({ x, t, label, noise, predict, squaredError }) => squaredError(predict({ x, t, label }), noise, 'sum'),
})
