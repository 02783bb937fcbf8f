/** DELETE: distils the original's answers on D_f with the forgotten class masked out of them (https://arxiv.org/abs/2503.23751).
 *  D_r is never looked at. */
import { z } from 'zod'
import { acting } from '../acting.ts'
import { defineMethod } from '../method.ts'
import { onClassification, sgd } from '../tasks/classification/vocabulary.ts'
import { masked, maskFor } from './parts/saliency.ts'

const distilled = defineMethod({
  title: 'DELETE',
  summary: 'Teaches D_f the original’s own answers without the true class, whose share goes to the other classes.',
  paper: { title: 'Decoupled Distillation to Erase (Zhou et al., CVPR 2025)', url: 'https://arxiv.org/abs/2503.23751' },
  version: 1,
  mark: 31,
  on: {
    classification: onClassification({
      params: acting(
        sgd.extend({
          epochs: sgd.shape.epochs.default(20).describe('Passes over D_f.'),
          learningRate: sgd.shape.learningRate
            .default(1e-4)
            .describe('Learning rate of SGD; 1e-4 is that of the released code for ResNet-18 on CIFAR-10.'),
          batchSize: sgd.shape.batchSize.default(128),
          weightDecay: sgd.shape.weightDecay.default(0),
          batchNorm: z
            .enum(['batch', 'running'])
            .default('batch')
            .describe(
              'Statistics of batch norm: `batch` normalises D_f by its own and moves the running ones (the default of the released code); `running` leaves them as they are (`disable_bn` there).',
            ),
          ...masked,
        }),
      ),
      search: { learningRate: '1e-5..1e-3' },
      async run(context) {
        const { params, trainer, forget, classes } = context
        const { epochs, batchSize, batchNorm } = params
        const teacher = trainer.keep()
        const optimizer = trainer.sgd({ ...params, mask: await maskFor(context) })
        await optimizer.descend(
          [
            {
              on: { items: forget, batchSize },
              loss(values) {
                const { logitsOf, labels, oneHot, softmax, logSoftmax, subtract, multiply, sum, mean } = values
                // −1e10 in place of −∞: the true class has probability 0, and 0 · log 0 is 0.
                const others = subtract(logitsOf({ of: teacher }), multiply(1e10, oneHot(labels, classes)))
                const answers = logitsOf({ evaluation: batchNorm === 'running' })
                // KL(others ‖ answers), mean over the batch.
                const each = multiply(softmax(others), subtract(logSoftmax(others), logSoftmax(answers)))
                return mean(sum(each, 1))
              },
            },
          ],
          { passes: epochs },
        )
      },
    }),
  },
})

// The name of the file is no name of a constant.
export { distilled as delete }
