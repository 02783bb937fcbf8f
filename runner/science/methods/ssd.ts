/** Selective Synaptic Dampening: shrinks the weights that matter more for D_f than for D (https://arxiv.org/abs/2308.07707). */
import { z } from 'zod'
import { defineMethod } from '../method.ts'
import { fitLabels, onClassification } from '../tasks/classification/vocabulary.ts'

export const ssd = defineMethod({
  title: 'SSD',
  summary: 'Shrinks the weights whose Fisher importance for D_f exceeds that for D; nothing is trained.',
  paper: {
    title: 'Fast Machine Unlearning Without Retraining Through Selective Synaptic Dampening (Foster et al., AAAI 2024)',
    url: 'https://arxiv.org/abs/2308.07707',
  },
  version: 1,
  mark: 13,
  on: {
    classification: onClassification({
      params: z.strictObject({
        alpha: z
          .number()
          .min(0)
          .max(1e6)
          .default(10)
          .describe('α: weights are dampened whose importance for D_f is above α times that for D.'),
        lambda: z
          .number()
          .min(0)
          .max(1e6)
          .default(1)
          .describe('λ: they are multiplied by λ times their importance for D over that for D_f, at most by 1.'),
        batchSize: z
          .int()
          .min(1)
          .max(4096)
          .default(128)
          .describe(
            'Images whose mean gradient is squared for an importance: 128 in the released code; 1 is the diagonal of the Fisher information, as the paper says it.',
          ),
      }),
      search: { alpha: '1..50', lambda: '0.1..2' },
      async run({ params, trainer, forget, retain }) {
        const { alpha, lambda } = params
        const all = Int32Array.from([...retain, ...forget])
        const forForget = await trainer.importance(fitLabels(forget, params))
        const forAll = await trainer.importance(fitLabels(all, params))
        const dampened = [...(await trainer.read())].map(([name, weights]): [string, Float32Array] => {
          const [inForget, inAll] = [forForget.get(name)!, forAll.get(name)!]
          const factor = (i: number) =>
            inForget[i]! > alpha * inAll[i]! ? Math.min((lambda * inAll[i]!) / inForget[i]!, 1) : 1
          return [name, weights.map((weight, i) => weight * factor(i))]
        })
        await trainer.write(new Map(dampened))
      },
    }),
  },
})
