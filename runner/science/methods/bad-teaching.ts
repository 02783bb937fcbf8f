/** Bad Teaching: a student that learns from the original on D_r and from a teacher who knows nothing on D_f
 *  (https://arxiv.org/abs/2205.08096). */
import { z } from 'zod'
import { acting } from '../acting.ts'
import { defineMethod } from '../method.ts'
import { adamPasses, onClassification } from '../tasks/classification/vocabulary.ts'
import { maskFor, plainMasked } from './parts/saliency.ts'

export const badTeaching = defineMethod({
  title: 'Bad Teaching',
  summary: 'Fits the answers of a network that learned nothing on D_f, and those of the original on a part of D_r.',
  paper: {
    title: 'Can Bad Teaching Induce Forgetting? (Chundawat et al., AAAI 2023)',
    url: 'https://arxiv.org/abs/2205.08096',
  },
  version: 1,
  mark: 20,
  on: {
    classification: onClassification({
      params: acting(
        adamPasses.extend({
          ...plainMasked,
          epochs: adamPasses.shape.epochs
            .default(1)
            .describe(
              'Passes over D_f and the part of D_r, mixed; 1 in the released notebook, 10 where its function is given none.',
            ),
          learningRate: adamPasses.shape.learningRate
            .default(1e-4)
            .describe('Learning rate of Adam; 0.0001 in the released notebook, 0.01 where its function is given none.'),
          retainShare: z
            .number()
            .min(0)
            .max(1)
            .default(0.3)
            .describe('Share of D_r that is gone over, drawn at random once; 0.3 in the released code.'),
          temperature: z.number().gt(0).max(100).default(1).describe('T by which all answers are softened.'),
          reduction: z
            .enum(['mean', 'batch'])
            .default('mean')
            .describe(
              'KL(teacher ‖ student) as its `mean` over images and classes (the released code), or over the `batch` alone (the paper).',
            ),
        }),
      ),
      search: { learningRate: '1e-4..1e-2' },
      async run(context) {
        const { params, trainer, forget, retain, classes, random } = context
        const { epochs, batchSize, retainShare, temperature: T, reduction } = params
        const [good, bad] = [trainer.keep(), trainer.fresh()]
        const part = random.shuffle(retain).subarray(0, Math.floor(retainShare * retain.length))
        const items = Int32Array.from([...forget, ...part])
        const isForgotten = Uint8Array.from(items, (_, i) => (i < forget.length ? 1 : 0))
        const optimizer = trainer.adam({ ...params, mask: await maskFor(context) })
        await optimizer.descend(
          [
            {
              on: { items, batchSize, labels: isForgotten },
              loss(values) {
                const { labels: forgotten, logits, logitsOf, softmax, logSoftmax, where, ...ops } = values
                const { subtract, multiply, divide, sum, mean } = ops
                const student = logSoftmax(divide(logits, T))
                const [fromBad, fromGood] = [bad, good].map((of) => {
                  const taught = divide(logitsOf({ of }), T)
                  return sum(multiply(softmax(taught), subtract(logSoftmax(taught), student)), 1)
                })
                const divergence = mean(where(forgotten, fromBad!, fromGood!))
                return reduction === 'mean' ? divide(divergence, classes) : divergence
              },
            },
          ],
          { passes: epochs },
        )
      },
    }),
  },
})
