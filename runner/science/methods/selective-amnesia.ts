/** Selective Amnesia: continual learning turned round, with a surrogate for what is forgotten
 *  (https://arxiv.org/abs/2305.10120). */
import { z } from 'zod'
import { defineMethod } from '../method.ts'
import { defineGeneration, denoiserSteps } from '../tasks/generation.ts'

const params = denoiserSteps.extend({
  /** The paper's code takes 20,000 steps for CIFAR-10. */
  steps: denoiserSteps.shape.steps.default(20_000),
  /** λ of λ sum F (θ − θ0)², with the Fisher information F of the original on its own samples. */
  elastic: z.number().min(0).max(1e6).default(10),
  /** γ: factor of the loss on samples of the remaining classes that the original made (generative replay). */
  replay: z.number().min(0).max(1000).default(1),
  /** Samples of each remaining class, for F and for replay. */
  perClass: z.int().min(1).max(10_000).default(500),
  /** DDIM steps and guidance of those samples. */
  sampleSteps: z.int().min(1).max(1000).default(50),
  sampleGuidance: z.number().min(0).max(100).default(2),
})

export const selectiveAmnesia = defineMethod({
  title: 'Selective Amnesia',
  summary:
    'Fits uniform noise as the class, replays samples of the other classes and holds on to the weights they need.',
  paper: {
    title: 'Selective Amnesia (Heng and Soh, NeurIPS 2023)',
    url: 'https://arxiv.org/abs/2305.10120',
  },
  version: 1,
  params,
  generation: defineGeneration({
    params,
    async run({ params, trainer, forgotten, classes }) {
      const { batchSize, dropCondition, perClass } = params
      trainer.anchor()
      const others = Array.from({ length: classes }, (_, label) => label).filter((label) => label !== forgotten)
      const images = await trainer.generate({
        classes: others,
        perClass,
        guidance: params.sampleGuidance,
        steps: params.sampleSteps,
      })
      const importance = await trainer.fisher(images)
      const shared = { kind: 'noise', reduction: 'sum', batchSize } as const
      await trainer.optimizer({ ...params, elastic: { strength: params.elastic, importance } }).steps(params.steps, [
        { ...shared, images: { kind: 'uniform', label: forgotten }, weight: 1, dropCondition: 0 },
        { ...shared, images: { kind: 'generated', images }, weight: params.replay, dropCondition },
      ])
    },
  }),
})
