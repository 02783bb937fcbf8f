/** SCRUB: a student that obeys its teacher, the original, on D_r and disobeys it on D_f; and SCRUB+R, which goes back to the epoch
 *  that forgot as much as was wanted (https://arxiv.org/abs/2302.09880). */
import { z } from 'zod'
import { acting, addedLater } from '../acting.ts'
import { type Context, defineMethod, type Kept, UnfitError } from '../method.ts'
import { type ClassifierTerm, type ClassifierTypes, onClassification, sgd } from '../tasks/classification/vocabulary.ts'
import { accuracyOn } from './parts/answers.ts'
import { heldOut, heldOutFault } from './parts/held-out.ts'
import { masked, maskFor } from './parts/saliency.ts'

const INSTEAD = 'leave rewind at none'

export const scrub = defineMethod({
  title: 'SCRUB',
  summary:
    'Alternates epochs that move the answers on D_f away from the original’s with epochs that keep those on D_r.',
  paper: {
    title: 'Towards Unbounded Machine Unlearning (Kurmanji et al., NeurIPS 2023)',
    url: 'https://arxiv.org/abs/2302.09880',
  },
  version: 1,
  mark: 12,
  on: {
    classification: onClassification({
      params: acting(
        sgd.extend({
          ...masked,
          epochs: sgd.shape.epochs.default(3).describe('Passes over D_r (min steps).'),
          maxSteps: z
            .int()
            .min(0)
            .max(1000)
            .default(2)
            .describe('How many of the epochs, the first ones, begin with a pass over D_f (max steps).'),
          learningRate: sgd.shape.learningRate.default(5e-4).describe('Learning rate of SGD, for both kinds of steps.'),
          batchSize: sgd.shape.batchSize.default(128).describe('Images of D_r in a min step.'),
          forgetBatchSize: z.int().min(1).max(4096).default(32).describe('Images of D_f in a max step.'),
          alpha: z.number().min(0).max(1000).default(0.001).describe('α: factor of the divergence on D_r.'),
          gamma: z.number().min(0).max(1000).default(0.99).describe('γ: factor of the cross-entropy on D_r.'),
          temperature: z
            .number()
            .gt(0)
            .max(100)
            .default(4)
            .describe(
              'T: the divergence is T² KL of answers softened by T, as in the released code (4 on all of CIFAR-10); 1 is the equation of the paper.',
            ),
          decayAfter: z
            .array(z.int().min(1))
            .max(100)
            .default([3, 5, 9])
            .describe('Epochs, counted from 1, after which the learning rate is multiplied by `decay`.'),
          decay: z.number().gt(0).max(1).default(0.1).describe('What the learning rate is then multiplied by.'),
          rewind: addedLater(
            z
              .enum(['none', 'held-out'])
              .default('none')
              .describe(
                '`none` ends with the last epoch; `held-out` goes back to the first epoch whose error on D_f is nearest to the error of the last on images like D_f that were held out of D (SCRUB+R), which needs a benchmark with `holdOut`.',
              ),
          ),
        }),
      ),
      search: { learningRate: '1e-4..1e-2', maxSteps: '1..3' },
      fault: ({ rewind }, setting) => (rewind === 'held-out' ? heldOutFault(setting, INSTEAD) : null),
      async run(context) {
        const { params, trainer, forget, retain } = context
        const unseen = params.rewind === 'held-out' ? unseenLike(context) : null
        const { epochs, maxSteps, batchSize, forgetBatchSize, alpha, gamma, temperature: T, decayAfter, decay } = params
        const teacher = trainer.keep()
        // T² KL(teacher ‖ student), mean over the batch.
        const divergence: ClassifierTerm['loss'] = (values) => {
          const { logits, logitsOf, softmax, logSoftmax, subtract, multiply, divide, sum, mean } = values
          const [taught, learned] = [divide(logitsOf({ of: teacher }), T), divide(logits, T)]
          const each = multiply(softmax(taught), subtract(logSoftmax(taught), logSoftmax(learned)))
          return multiply(T ** 2, mean(sum(each, 1)))
        }
        const disobey: ClassifierTerm = {
          on: { items: forget, batchSize: forgetBatchSize },
          loss: divergence,
          weight: -1,
        }
        const obey: ClassifierTerm = {
          on: { items: retain, batchSize },
          loss(values) {
            const { logits, labels, crossEntropy, add, multiply } = values
            return add(multiply(alpha, divergence(values)), multiply(gamma, crossEntropy(logits, labels)))
          },
        }
        const optimizer = trainer.sgd({ ...params, mask: await maskFor(context) })
        const passed: { model: Kept; error: number }[] = []
        for (let epoch = 1; epoch <= epochs; epoch++) {
          const decays = decayAfter.filter((last) => epoch > last).length
          const span = { passes: 1, learningRate: params.learningRate * decay ** decays }
          if (epoch <= maxSteps) await optimizer.descend([disobey], span)
          await optimizer.descend([obey], span)
          if (unseen) passed.push({ model: trainer.keep(), error: await errorOn(context, forget) })
        }
        if (!unseen) return
        const wanted = await errorOn(context, unseen)
        const distance = ({ error }: { error: number }) => Math.abs(error - wanted)
        await trainer.restore(passed.reduce((best, one) => (distance(one) < distance(best) ? one : best)).model)
      },
    }),
  },
})

type Asked = Context<ClassifierTypes, { batchSize: number }>

/** Images that were held out; of the forgotten classes, where classes are forgotten. */
function unseenLike(context: Asked): Int32Array {
  const { forgotten, labels } = context
  const found = heldOut(context, INSTEAD)
  const like = forgotten.length === 0 ? found : found.filter((item) => forgotten.includes(labels[item]!))
  if (like.length > 0) return like
  throw new UnfitError(
    `rewind: no image of class ${forgotten.join(', ')} is held out; raise training.holdOut, or leave rewind at none`,
  )
}

const errorOn = async ({ trainer, labels, params: { batchSize } }: Asked, items: Int32Array) =>
  1 - (await accuracyOn(trainer, { items, batchSize }, labels))
