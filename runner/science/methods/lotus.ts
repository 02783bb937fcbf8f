/** LoTUS: teaches D_f the original's own answers, smoothed with noise until they are as unsure as on images it never saw, and a part
 *  of D_r its sharpened ones (https://arxiv.org/abs/2503.18314). Labels are looked at only to measure accuracy. */
import { z } from 'zod'
import { forgottenClasses } from '../../../schema/parts/request.ts'
import { acting } from '../acting.ts'
import { type Context, defineMethod } from '../method.ts'
import { type ClassifierTerm, type ClassifierTypes, onClassification, sgd } from '../tasks/classification/vocabulary.ts'
import { accuracyOn } from './parts/answers.ts'
import { heldOut, heldOutFault } from './parts/held-out.ts'
import { masked, maskFor } from './parts/saliency.ts'

const INSTEAD = 'set unseen, the accuracy of the original on images that it never saw'

/** Accuracy of the original on images that it never saw; 0 where classes are forgotten, which it should know nothing of. */
async function unseenAccuracy(
  context: Context<ClassifierTypes, { unseen: number | null; batchSize: number }>,
): Promise<number> {
  const { params, trainer, forgotten, labels } = context
  if (params.unseen !== null) return params.unseen
  if (forgotten.length > 0) return 0
  const items = heldOut(context, INSTEAD)
  return await accuracyOn(trainer, { items, batchSize: params.batchSize }, labels)
}

export const lotus = defineMethod({
  title: 'LoTUS',
  summary: 'Teaches D_f the original’s answers smoothed by noise at a temperature that follows the accuracy on D_f.',
  paper: { title: 'LoTUS (Spartalis et al., CVPR 2025)', url: 'https://arxiv.org/abs/2503.18314' },
  version: 1,
  mark: 30,
  on: {
    classification: onClassification({
      params: acting(
        sgd.omit({ momentum: true }).extend({
          epochs: sgd.shape.epochs.describe(
            'Passes over D_f and the part of D_r; none follows once accuracy on D_f is 0.01 below that on unseen images.',
          ),
          learningRate: sgd.shape.learningRate.default(1e-4).describe('Learning rate of AdamW.'),
          batchSize: sgd.shape.batchSize.default(128),
          weightDecay: sgd.shape.weightDecay.describe('Weight decay of AdamW, taken off the weights themselves.'),
          alpha: z
            .number()
            .min(0)
            .max(1000)
            .default(2)
            .describe(
              'α: an epoch has temperature exp(α (accuracy on D_f − accuracy on unseen images)); the released commands have 2, 8 on CIFAR-10 and 32 where a class is forgotten.',
            ),
          unseen: z
            .number()
            .min(0)
            .max(1)
            .nullable()
            .default(null)
            .describe(
              'Accuracy of the original on images that it never saw, as a share; null measures it on the training images that are held out, or takes 0 where a class is forgotten.',
            ),
          retainShare: z.number().gt(0).max(1).default(0.3).describe('Share of D_r that is looked at, drawn once.'),
          noise: z
            .enum(['gumbel', 'none'])
            .default('gumbel')
            .describe(
              '`gumbel` draws Gumbel noise onto the original’s logits before they are smoothed or sharpened (the paper); `none` takes them as they are.',
            ),
          ...masked,
        }),
      ),
      search: { learningRate: '1e-4..1e-1', alpha: '0.5..10' },
      fault: ({ unseen }, setting) =>
        unseen === null && forgottenClasses(setting.request).length === 0 ? heldOutFault(setting, INSTEAD) : null,
      async run(context) {
        const { params, trainer, forget, retain, labels, classes, random } = context
        const { epochs, batchSize, alpha, retainShare, noise } = params
        const mask = await maskFor(context)
        const unseen = await unseenAccuracy(context)
        const teacher = trainer.keep()
        const part = random.shuffle(retain).subarray(0, Math.floor(retainShare * retain.length))
        const items = Int32Array.from([...forget, ...part])
        const fit: ClassifierTerm = {
          // 1 for D_f, 0 for D_r: no loss looks at true labels.
          on: { items, batchSize, labels: items.map((_, i) => (i < forget.length ? 1 : 0)), uniforms: classes },
          loss(values) {
            const { logits, logitsOf, labels: forgets, uniform, number, ...ops } = values
            const { negate, log, add, subtract, multiply, divide, softmax, logSoftmax, argMax, oneHot, sum, mean } = ops
            const taught = logitsOf({ of: teacher })
            const noisy = noise === 'gumbel' ? subtract(taught, log(negate(log(uniform)))) : taught
            const smooth = softmax(divide(noisy, number('temperature')))
            const sharp = oneHot(argMax(noisy), classes)
            const learned = logSoftmax(logits)
            const loss = (target: typeof smooth) => negate(sum(multiply(target, learned), 1))
            return mean(add(multiply(forgets, loss(smooth)), multiply(subtract(1, forgets), loss(sharp))))
          },
        }
        const optimizer = trainer.adam({ ...params, mask })
        for (let epoch = 0; epoch < epochs; epoch++) {
          const above = (await accuracyOn(trainer, { items: forget, batchSize }, labels)) - unseen
          if (above <= -0.01) break
          await optimizer.descend([fit], { passes: 1, numbers: { temperature: Math.exp(alpha * above) } })
        }
      },
    }),
  },
})
