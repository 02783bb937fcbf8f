/** Selective Amnesia: continual learning turned round, with a surrogate for what is forgotten
 *  (https://arxiv.org/abs/2305.10120). The released code also stretches the contrast of each sample to all of the range, and begins at
 *  weights that were not averaged; neither is done here. */
import { z } from 'zod'
import { defineMethod } from '../method.ts'
import {
  adamAverage,
  adamSteps,
  type DiffusionBatch,
  type DiffusionTerm,
  type GeneratedImages,
  onGeneration,
} from '../tasks/generation/vocabulary.ts'

const share = adamSteps.shape.dropCondition

export const selectiveAmnesia = defineMethod({
  title: 'Selective Amnesia',
  summary:
    'Fits uniform noise as the class, replays samples of the other classes and holds on to the weights that samples need.',
  paper: {
    title: 'Selective Amnesia (Heng and Soh, NeurIPS 2023)',
    url: 'https://arxiv.org/abs/2305.10120',
  },
  version: 2,
  mark: 10,
  on: {
    generation: onGeneration({
      params: adamSteps
        .extend({
          steps: adamSteps.shape.steps
            .default(20_000)
            .describe('Steps of Adam; the released code takes 20,000 for CIFAR-10.'),
          dropCondition: share
            .default(0)
            .describe(
              'Share of the samples in replay whose class is replaced by the null class; none in the released code.',
            ),
          elastic: z
            .number()
            .min(0)
            .max(1e9)
            .default(10)
            .describe(
              'λ of λ Σ F (θ − θ0)², with the Fisher information F of the original on its own samples: 10 in the released code. What it does follows from the scale of F, so it belongs to `fisher`.',
            ),
          replay: z
            .number()
            .min(0)
            .max(1000)
            .default(1)
            .describe(
              'γ: factor of the loss on samples of the remaining classes that the original made (generative replay).',
            ),
          fisher: z
            .enum(['summed', 'drawn'])
            .default('summed')
            .describe(
              'F is the mean over samples of a squared gradient: `summed` is that of the loss summed over all T timesteps, as the bound on the likelihood is (the released code); `drawn` that of the loss at one random timestep, smaller by a factor of up to T².',
            ),
          fisherClasses: z
            .enum(['all', 'remaining'])
            .default('all')
            .describe('Classes whose samples F is of: `all` counts the forgotten one too (the released code).'),
          fisherPerClass: z
            .int()
            .min(1)
            .max(10_000)
            .nullable()
            .default(null)
            .describe('How many of the samples of each class F is of; null takes all of them (the released code).'),
          fisherPixels: z
            .enum(['unit', 'signed'])
            .default('unit')
            .describe(
              'Range of the pixels of those samples: `unit` is [0, 1], which the released code leaves them in for F; `signed` is [−1, 1], as in training.',
            ),
          fisherDropCondition: share.describe(
            'Share of the timesteps of those samples whose class is replaced by the null class: 0.1 in the released code.',
          ),
          average: adamAverage.default(0.9999),
          perClass: z.int().min(1).max(10_000).default(500).describe('Samples of each class, for F and for replay.'),
          sampleSteps: z
            .int()
            .min(1)
            .max(1000)
            .nullable()
            .default(null)
            .describe('DDIM steps of those samples; null takes all T (the released code).'),
          sampleEta: z
            .number()
            .min(0)
            .max(1)
            .default(1)
            .describe('η of those steps: 1 draws as much fresh noise as DDPM (the released code), 0 draws none.'),
          sampleGuidance: z.number().min(0).max(100).default(2).describe('Guidance of those samples.'),
        })
        .refine(({ fisherPerClass, perClass }) => fisherPerClass === null || fisherPerClass <= perClass, {
          path: ['fisherPerClass'],
          message: 'expected at most perClass',
        }),
      async run({ params, trainer, verbs, forgotten, classes }) {
        const { batchSize, dropCondition, elastic, perClass, fisherPerClass, fisherClasses } = params
        const { sampleGuidance: guidance, sampleEta: eta } = params
        const steps = params.sampleSteps ?? verbs.timesteps
        const original = trainer.keep()
        const wanted = Array.from({ length: classes }, (_, label) => label).filter(
          (label) => !forgotten.includes(label) || (fisherClasses === 'all' && elastic > 0),
        )
        const samples = await verbs.generate({ classes: wanted, perClass, guidance, steps, eta })
        const remaining = choose(samples, (label) => !forgotten.includes(label))
        /** F, as values for every weight. */
        const fisher = async () => {
          const from = choose(samples, (_, i) => i % perClass < (fisherPerClass ?? perClass))
          const on = { from, pixels: params.fisherPixels, dropCondition: params.fisherDropCondition }
          if (params.fisher === 'drawn') return trainer.importance(noiseLoss({ ...on, batchSize: 1 }))
          // As many timesteps of a sample at once as a batch has room for; the loss is a mean over them.
          const { timesteps } = verbs
          const together = Array.from({ length: timesteps }, (_, i) => i + 1).find(
            (parts) => timesteps % parts === 0 && timesteps / parts <= batchSize,
          )!
          const atOnce = timesteps / together
          const loss = { ...noiseLoss({ ...on, batchSize: atOnce, everyTimestep: true }), weight: atOnce }
          return trainer.importance(loss, { together })
        }
        const importance = elastic > 0 ? trainer.hold(await fisher()) : null
        const optimizer = trainer.adam({
          ...params,
          penalty: importance
            ? ({ weights, weightsOf, subtract, multiply, sum, square }) =>
                multiply(elastic, sum(multiply(weightsOf(importance), square(subtract(weights, weightsOf(original))))))
            : undefined,
        })
        await optimizer.descend(
          [
            noiseLoss({ uniform: forgotten[0]!, batchSize }),
            { ...noiseLoss({ from: remaining, batchSize, dropCondition }), weight: params.replay },
          ],
          { steps: params.steps },
        )
        if (params.average !== null) await optimizer.takeAverage()
      },
    }),
  },
})

const noiseLoss = (on: DiffusionBatch): DiffusionTerm => ({
  on,
  loss: ({ x, t, label, noise, predict, squaredError }) => squaredError(predict({ x, t, label }), noise, 'sum'),
})

/** Some of the images, in their order. */
function choose({ images, labels }: GeneratedImages, wanted: (label: number, i: number) => boolean): GeneratedImages {
  const size = images.length / labels.length
  const chosen = [...labels.keys()].filter((i) => wanted(labels[i]!, i))
  const found = new Uint8Array(chosen.length * size)
  chosen.forEach((i, at) => {
    found.set(images.subarray(i * size, (i + 1) * size), at * size)
  })
  return { images: found, labels: labels.filter((label, i) => wanted(label, i)) }
}
