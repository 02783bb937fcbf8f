/** NegMerge: fine-tunes on D_f in several ways, merges what each changed where all agree on its sign, and takes that off the
 *  original (https://arxiv.org/abs/2410.05583). Running statistics of batch norm stay those of the original. The grid of the released
 *  code, which is for CLIP alone, has two learning rates, three weight decays and one to five epochs. */
import { z } from 'zod'
import { acting, actingWith } from '../acting.ts'
import { type Context, defineMethod } from '../method.ts'
import { type ClassifierTypes, fitLabels, onClassification, sgd } from '../tasks/classification/vocabulary.ts'
import type { Weights } from '../weights.ts'
import { accuracyOn } from './parts/answers.ts'

const params = acting(
  sgd.omit({ learningRate: true, weightDecay: true }).extend({
    epochs: sgd.shape.epochs
      .default(5)
      .describe('Passes over D_f of each fine-tuning; the change after every pass is one of those that are merged.'),
    learningRates: z
      .array(z.number().positive().max(10))
      .min(1)
      .max(20)
      .default([0.01, 0.001])
      .describe('Learning rates of SGD, each with each of the weight decays.'),
    weightDecays: z.array(z.number().min(0).max(1)).min(1).max(20).default([0, 5e-4]).describe('Weight decays of SGD.'),
    merge: z
      .enum(['consensus', 'mean'])
      .default('consensus')
      .describe(
        '`consensus` takes the mean change of a weight where all changes have one sign, and none elsewhere; `mean` takes it everywhere, as a control.',
      ),
    choose: z
      .enum(['given', 'search'])
      .default('given')
      .describe(
        'Where α comes from: `given` takes `scale`; `search`, the released code’s rule, takes that of 0, 0.05, 0.1, … 1 with the lowest accuracy on D_f among those that keep accuracy on D_r.',
      ),
    kept: actingWith(
      z.number().min(0).max(1).default(0.95).describe('Share of the original’s accuracy on D_r that α must keep.'),
      { choose: ['search'] },
    ),
    scale: actingWith(
      z.number().min(0).max(10).default(0.5).describe('α: how much of the merged change is taken off the original.'),
      { choose: ['given'] },
    ),
  }),
)
type Asked = Context<ClassifierTypes, z.infer<typeof params>>

/** Mean of the changes that fine-tunings make, 0 where they disagree and that counts. */
async function mergedChange({ params, trainer, forget }: Asked, start: Weights): Promise<Weights> {
  const { epochs, learningRates, weightDecays, batchSize, merge } = params
  const original = trainer.keep()
  const zeros = () => new Map([...start].map(([name, { length }]) => [name, new Float32Array(length)]))
  const [sums, signs] = [zeros(), zeros()]
  let count = 0
  const settings = learningRates.flatMap((learningRate) =>
    weightDecays.map((weightDecay) => ({ learningRate, weightDecay })),
  )
  for (const setting of settings) {
    await trainer.restore(original)
    const optimizer = trainer.sgd({ ...params, ...setting })
    for (let epoch = 0; epoch < epochs; epoch++) {
      await optimizer.descend([fitLabels(forget, { batchSize })], { passes: 1 })
      for (const [name, values] of await trainer.read()) {
        const [from, sum, sign] = [start.get(name)!, sums.get(name)!, signs.get(name)!]
        values.forEach((value, i) => {
          sum[i]! += value - from[i]!
          sign[i]! += Math.sign(value - from[i]!)
        })
      }
      count++
    }
  }
  await trainer.restore(original)
  const agreed = (sign: number) => merge === 'mean' || Math.abs(sign) === count
  return new Map(
    [...sums].map(([name, sum]) => [name, sum.map((value, i) => (agreed(signs.get(name)![i]!) ? value / count : 0))]),
  )
}

export const negmerge = defineMethod({
  title: 'NegMerge',
  summary: 'Fine-tunes on D_f in several ways and takes off the original what all of them changed with one sign.',
  paper: { title: 'NegMerge (Kim et al., ICML 2025)', url: 'https://arxiv.org/abs/2410.05583' },
  version: 1,
  mark: 32,
  on: {
    classification: onClassification({
      params,
      search: { scale: '0.2..10' },
      async run(context) {
        const { params, trainer, forget, retain, labels } = context
        const { batchSize } = params
        const start = await trainer.read()
        const change = await mergedChange(context, start)
        const without = (scale: number): Weights =>
          new Map(
            [...start].map(([name, values]) => [name, values.map((value, i) => value - scale * change.get(name)![i]!)]),
          )
        const accuracy = (items: Int32Array) => accuracyOn(trainer, { items, batchSize }, labels)
        if (params.choose === 'given') {
          await trainer.write(without(params.scale))
          return
        }
        const least = params.kept * (await accuracy(retain))
        let best = { scale: 0, onForget: await accuracy(forget) }
        for (let step = 1; step <= 20; step++) {
          const scale = step / 20
          await trainer.write(without(scale))
          const onForget = await accuracy(forget)
          if (onForget < best.onForget && (await accuracy(retain)) >= least) best = { scale, onForget }
        }
        await trainer.write(without(best.scale))
      },
    }),
  },
})
