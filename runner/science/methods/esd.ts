/** ESD: erases a class by the network's own guidance away from it (https://arxiv.org/abs/2303.07345). */
import { z } from 'zod'
import { defineMethod } from '../method.ts'
import { defineGeneration, denoiserSteps } from '../tasks/generation.ts'

const params = denoiserSteps.omit({ dropCondition: true }).extend({
  learningRate: denoiserSteps.shape.learningRate.default(1e-5),
  /** η of the target ε0_∅ − η (ε0_c − ε0_∅), with the frozen original ε0. */
  strength: z.number().min(0).max(100).default(1),
  /** Which weights move. The paper trains the cross-attention (ESD-x) or everything else (ESD-u); in a network that has none the
   *  class enters through its embedding, so `conditioning` trains that path and `rest` everything else. */
  trained: z.enum(['conditioning', 'rest', 'all']).default('rest'),
  /** Where x_t comes from: `sampled` takes a random step of sampling from noise by the network as it is (the paper, which needs no
   *  data), `noised` adds noise to images of D_f. */
  latents: z.enum(['sampled', 'noised']).default('sampled'),
  /** Guidance and DDIM steps of that sampling. */
  latentGuidance: z.number().min(0).max(100).default(3),
  latentSteps: z.int().min(2).max(1000).default(50),
})

export const esd = defineMethod({
  title: 'ESD',
  summary: 'Fits the prediction under the class to the original’s prediction guided away from it.',
  paper: {
    title: 'Erasing Concepts from Diffusion Models (Gandikota et al., ICCV 2023)',
    url: 'https://arxiv.org/abs/2303.07345',
  },
  version: 1,
  params,
  generation: defineGeneration({
    params,
    async run({ params, trainer, forget, forgotten }) {
      const { trained, strength, batchSize, latentGuidance: guidance, latentSteps: steps } = params
      trainer.anchor()
      const mask = trained === 'all' ? undefined : trainer.part(trained)
      const latents =
        params.latents === 'sampled'
          ? ({ kind: 'sampled', label: forgotten, guidance, steps } as const)
          : ({ kind: 'noised', items: forget } as const)
      await trainer
        .optimizer({ ...params, mask })
        .steps(params.steps, [
          { kind: 'negative-guidance', strength, latents, weight: 1, reduction: 'mean', batchSize, dropCondition: 0 },
        ])
    },
  }),
})
