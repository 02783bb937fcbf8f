/** NegGrad+: descends the loss on D_r and climbs that on D_f in the same step (https://arxiv.org/abs/2302.09880). */
import { z } from 'zod'
import { acting } from '../acting.ts'
import { defineMethod } from '../method.ts'
import { type ClassifierTerm, onClassification, sgd } from '../tasks/classification/vocabulary.ts'
import { adamSteps, fitImages, onGeneration } from '../tasks/generation/vocabulary.ts'
import { denoiserMasked, denoiserMaskFor, masked, maskFor } from './parts/saliency.ts'

const beta = z.number().gt(0).max(1)

export const neggradPlus = defineMethod({
  title: 'NegGrad+',
  summary: 'Descends the loss on D_r and climbs the loss on D_f in each step, one weighed against the other.',
  paper: {
    title: 'Towards Unbounded Machine Unlearning (Kurmanji et al., NeurIPS 2023)',
    url: 'https://arxiv.org/abs/2302.09880',
  },
  version: 1,
  mark: 11,
  on: {
    classification: onClassification({
      params: acting(
        sgd.extend({
          ...masked,
          epochs: sgd.shape.epochs.describe(
            'Passes over D_r; batches of D_f come beside, reshuffled as often as needed.',
          ),
          batchSize: sgd.shape.batchSize.default(128).describe('Images of D_r in a step.'),
          forgetBatchSize: z.int().min(1).max(4096).default(32).describe('Images of D_f in a step.'),
          momentum: sgd.shape.momentum.default(0),
          weightDecay: sgd.shape.weightDecay.default(0),
          beta: beta
            .default(0.9999)
            .describe(
              'β of β L(D_r) − (1 − β) L(D_f), called alpha in the released code: there 0.9999 on all of CIFAR-10, 0.95 on a subset of 500 images.',
            ),
          batchNorm: z
            .enum(['batch', 'running'])
            .default('batch')
            .describe(
              'Statistics of batch norm: `batch` normalises each of the two batches by its own and moves the running ones (the released code on all of CIFAR-10); `running` leaves them as they are (there on the subset).',
            ),
          pull: z
            .number()
            .min(0)
            .max(10)
            .default(0)
            .describe(
              'w of a further β w/2 |θ − θ0|² that holds on to the original: 0 in the paper, 0.1 in the released code on the subset.',
            ),
        }),
      ),
      search: { learningRate: '1e-3..0.5', beta: '0.8..0.999' },
      async run(context) {
        const { params, trainer, forget, retain } = context
        const { epochs, batchSize, forgetBatchSize, beta, batchNorm, pull } = params
        const original = trainer.keep()
        const loss: ClassifierTerm['loss'] = ({ logitsOf, labels, crossEntropy }) =>
          crossEntropy(logitsOf({ evaluation: batchNorm === 'running' }), labels)
        const optimizer = trainer.sgd({
          ...params,
          mask: await maskFor(context),
          penalty:
            pull > 0
              ? ({ weights, weightsOf, subtract, multiply, square, sum }) =>
                  multiply((beta * pull) / 2, sum(square(subtract(weights, weightsOf(original)))))
              : undefined,
        })
        await optimizer.descend(
          [
            { on: { items: retain, batchSize }, loss, weight: beta },
            { on: { items: forget, batchSize: forgetBatchSize }, loss, weight: -(1 - beta) },
          ],
          { passes: epochs },
        )
      },
    }),
    generation: onGeneration({
      params: acting(
        adamSteps.extend({
          ...denoiserMasked,
          beta: beta.default(0.95).describe('β of β L(D_r) − (1 − β) L(D_f); there is no released code for this task.'),
        }),
      ),
      async run(context) {
        const { params, trainer, forget, retain } = context
        const { steps, beta } = params
        const optimizer = trainer.adam({ ...params, mask: await denoiserMaskFor(context) })
        await optimizer.descend([fitImages(retain, params, beta), fitImages(forget, params, -(1 - beta))], { steps })
      },
    }),
  },
})
