/** ESD: erases a class by the network's own guidance away from it (https://arxiv.org/abs/2303.07345). */
import { z } from 'zod'
import { defineMethod } from '../method.ts'
import { adamSteps, onGeneration } from '../tasks/generation/vocabulary.ts'

export const esd = defineMethod({
  title: 'ESD',
  summary: 'Fits the prediction under the class to the original’s prediction guided away from it.',
  paper: {
    title: 'Erasing Concepts from Diffusion Models (Gandikota et al., ICCV 2023)',
    url: 'https://arxiv.org/abs/2303.07345',
  },
  version: 1,
  mark: 9,
  on: {
    generation: onGeneration({
      params: adamSteps.omit({ dropCondition: true }).extend({
        learningRate: adamSteps.shape.learningRate.default(1e-5),
        strength: z
          .number()
          .min(0)
          .max(100)
          .default(1)
          .describe('η of the target ε0_∅ − η (ε0_c − ε0_∅), with the frozen original ε0.'),
        trained: z
          .enum(['conditioning', 'rest', 'all'])
          .default('rest')
          .describe(
            'Which weights move. The paper trains the cross-attention (ESD-x) or everything else (ESD-u); in a network that has none the class enters through its embedding, so `conditioning` trains that path and `rest` everything else.',
          ),
        latents: z
          .enum(['sampled', 'noised'])
          .default('sampled')
          .describe(
            'Where x_t comes from: `sampled` takes a random step of sampling from noise by the network as it is (the paper, which needs no data), `noised` adds noise to images of D_f.',
          ),
        latentGuidance: z.number().min(0).max(100).default(3).describe('Guidance of that sampling.'),
        latentSteps: z.int().min(2).max(1000).default(50).describe('DDIM steps of that sampling.'),
      }),
      async run({ params, trainer, verbs, forget, forgotten }) {
        const { trained, strength, batchSize, latentGuidance: guidance, latentSteps } = params
        const original = trainer.keep()
        const mask =
          trained === 'all'
            ? undefined
            : trainer.select((parameter) => verbs.conditioning(parameter) === (trained === 'conditioning'))
        const sampled = { label: forgotten!, guidance, steps: latentSteps }
        await trainer.adam({ ...params, mask }).descend(
          [
            {
              on: params.latents === 'sampled' ? { sampled, batchSize } : { items: forget, batchSize },
              loss({ x, t, label, predict, squaredError }) {
                // (1 + w) ε0_c − w ε0_∅ with w = −1 − η is ε0_∅ − η (ε0_c − ε0_∅).
                const away = predict({ x, t, label }, { of: original, guidance: -1 - strength })
                return squaredError(predict({ x, t, label }), away, 'mean')
              },
            },
          ],
          { steps: params.steps },
        )
      },
    }),
  },
})
