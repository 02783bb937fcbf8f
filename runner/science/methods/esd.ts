/** ESD: erases a class by the network's own guidance away from it (https://arxiv.org/abs/2303.07345). The released code is for Stable
 *  Diffusion. */
import { z } from 'zod'
import { acting, actingWith } from '../acting.ts'
import { defineMethod } from '../method.ts'
import { adamSteps, onGeneration } from '../tasks/generation/vocabulary.ts'

/** Parameters of the sampling of x_t. */
const SAMPLED = { latents: ['sampled', 'original'] }

export const esd = defineMethod({
  title: 'ESD',
  summary: 'Fits the prediction under the class to the original’s prediction guided away from it.',
  paper: {
    title: 'Erasing Concepts from Diffusion Models (Gandikota et al., ICCV 2023)',
    url: 'https://arxiv.org/abs/2303.07345',
  },
  version: 2,
  mark: 9,
  on: {
    generation: onGeneration({
      params: acting(
        adamSteps.omit({ dropCondition: true }).extend({
          learningRate: adamSteps.shape.learningRate.default(1e-5),
          batchSize: adamSteps.shape.batchSize.describe(
            'Images in a batch, all at the same timestep where x_t is sampled; the released code takes one.',
          ),
          clipNorm: adamSteps.shape.clipNorm
            .default(null)
            .describe(
              'Largest global gradient norm, before a mask; null leaves gradients as they are (the released code).',
            ),
          strength: z
            .number()
            .min(0)
            .max(100)
            .default(1)
            .describe(
              'η of the target ε0_∅ − η (ε0_c − ε0_∅), with the frozen original ε0: 1 in the paper. The later released code counts from ε0_c, so that its 2 is the same.',
            ),
          trained: z
            .enum(['conditioning', 'rest', 'all'])
            .default('rest')
            .describe(
              'Which weights move. The paper trains the cross-attention (ESD-x) or everything else (ESD-u); in a network that has none the class enters through its embedding, so `conditioning` trains that path and `rest` everything else.',
            ),
          latents: z
            .enum(['sampled', 'original', 'noised'])
            .default('sampled')
            .describe(
              'Where x_t comes from: `sampled` takes a random step of sampling from noise by the network as it is (the paper and the first released code, which need no data), `original` one by the frozen original (the later released code), `noised` adds noise to images of D_f.',
            ),
          latentGuidance: actingWith(
            z
              .number()
              .min(0)
              .max(100)
              .default(2)
              .describe(
                'w of that sampling by (1 + w) ε_c − w ε_∅. The scale of 3 in the released code counts from ε_∅ and is w = 2.',
              ),
            SAMPLED,
          ),
          latentSteps: actingWith(
            z
              .int()
              .min(2)
              .max(1000)
              .default(50)
              .describe('DDIM steps of that sampling; any of them is drawn, the noise itself too.'),
            SAMPLED,
          ),
        }),
      ),
      async run({ params, trainer, verbs, forget, forgotten }) {
        const { trained, strength, batchSize, latentGuidance: guidance, latentSteps } = params
        const original = trainer.keep()
        const mask =
          trained === 'all'
            ? undefined
            : trainer.select((parameter) => verbs.conditioning(parameter) === (trained === 'conditioning'))
        const sampled = {
          label: forgotten[0]!,
          guidance,
          steps: latentSteps,
          of: params.latents === 'original' ? original : undefined,
        }
        await trainer.adam({ ...params, mask }).descend(
          [
            {
              on: params.latents === 'noised' ? { items: forget, batchSize } : { sampled, batchSize },
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
