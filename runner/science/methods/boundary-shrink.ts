/** Boundary Shrink: fits D_f to the nearest other class, found by one adversarial step (https://arxiv.org/abs/2303.11570). */
import { z } from 'zod'
import { acting } from '../acting.ts'
import { defineMethod } from '../method.ts'
import { onClassification, sgd } from '../tasks/classification/vocabulary.ts'
import { masked, maskFor } from './parts/saliency.ts'

export const boundaryShrink = defineMethod({
  title: 'Boundary Shrink',
  summary:
    'Fits each image of D_f to the class that the original sees in an adversarial neighbour; never looks at D_r.',
  paper: { title: 'Boundary Unlearning (Chen et al., CVPR 2023)', url: 'https://arxiv.org/abs/2303.11570' },
  version: 1,
  mark: 18,
  on: {
    classification: onClassification({
      params: acting(
        sgd.extend({
          ...masked,
          learningRate: sgd.shape.learningRate.default(1e-5),
          bound: z
            .number()
            .min(0)
            .max(1)
            .default(0.1)
            .describe('ε of the adversarial step x + ε sign(∇ loss), in pixels from 0 to 1; 0.1 in paper and code.'),
          nearest: z
            .enum(['any', 'other'])
            .default('any')
            .describe(
              '`any` takes what the original sees in the neighbour, be it the true class where the step failed (the released code); `other` takes the most probable class that is not the true one (the paper’s nearest but incorrect class).',
            ),
        }),
      ),
      search: { learningRate: '1e-5..1e-3' },
      async run(context) {
        const { params, trainer, forget, classes } = context
        const { epochs, batchSize, bound, nearest } = params
        const original = trainer.keep()
        const optimizer = trainer.sgd({ ...params, mask: await maskFor(context) })
        await optimizer.descend(
          [
            {
              on: { items: forget, batchSize },
              loss(values) {
                const { images, labels, logits, logitsOf, crossEntropy, argMax, oneHot } = values
                const { add, subtract, multiply, divide, sign, round, clip, gradient } = values
                const slope = gradient(crossEntropy(logitsOf({ of: original }), labels), images)
                const neighbour = clip(add(images, multiply(bound, sign(slope))), 0, 1)
                // Pixels are bytes.
                const seen = logitsOf({ of: original, images: divide(round(multiply(neighbour, 255)), 255) })
                const open = nearest === 'any' ? seen : subtract(seen, multiply(1e9, oneHot(labels, classes)))
                return crossEntropy(logits, argMax(open))
              },
            },
          ],
          { passes: epochs },
        )
      },
    }),
  },
})
