/** SFR-on: now and then a step of gradient ascent on D_f, weighed by example and masked by the ratio of Fisher informations, between
 *  steps that fit D_r (https://arxiv.org/abs/2409.19732). The released code's moving average has weight 1, which changes nothing,
 *  and is left out. */
import { z } from 'zod'
import { acting, actingWith } from '../acting.ts'
import type { Mask } from '../mask.ts'
import { type Context, defineMethod } from '../method.ts'
import {
  type ClassifierTerm,
  type ClassifierTypes,
  fitLabels,
  onClassification,
  sgd,
} from '../tasks/classification/vocabulary.ts'
import { cycle } from './parts/cycle.ts'
import { density, maskFor } from './parts/saliency.ts'
import { cosine } from './parts/schedule.ts'

/** A run reports a loss for each of its turns on D_f and on D_r. */
const MOST_TURNS = 2000

const params = acting(
  sgd.omit({ epochs: true }).extend({
    steps: z.int().min(1).max(100_000).default(1500).describe('Steps on D_r.'),
    forgetEvery: z.int().min(1).max(100_000).default(5).describe('Steps on D_r that follow each step on D_f.'),
    batchSize: sgd.shape.batchSize.default(128),
    learningRate: sgd.shape.learningRate.describe('Learning rate of SGD; it falls along half a cosine.'),
    alpha: z
      .number()
      .min(0)
      .max(1e5)
      .default(25)
      .describe('α: factor of the loss that is climbed on D_f; it falls with the learning rate.'),
    lambda: z
      .number()
      .min(0)
      .max(10)
      .default(0.5)
      .describe(
        'λ: an example of D_f weighs as its loss to the power of −λ, so that what is forgotten counts less; 0 weighs all alike.',
      ),
    clipNorm: z.number().gt(0).max(1000).default(7).describe('Largest gradient norm of a step on D_f, after the mask.'),
    mask: z
      .enum(['fisher', 'saliency', 'random', 'inverted', 'none'])
      .default('fisher')
      .describe(
        'Which weights a step on D_f moves: `fisher` those whose Fisher information on D_f exceeds that on D_r, `saliency` SalUn’s; `random` and `inverted` (SalUn’s least salient) are controls, `none` moves all. Steps on D_r move all weights.',
      ),
    threshold: actingWith(
      z
        .number()
        .min(0)
        .max(1e6)
        .default(1)
        .describe('γ: least ratio of the two Fisher informations of a weight that moves.'),
      { mask: ['fisher'] },
    ),
    density,
  }),
).refine(({ steps, forgetEvery }) => steps / forgetEvery <= MOST_TURNS, {
  path: ['steps'],
  message: `expected at most ${MOST_TURNS} times forgetEvery`,
})
type Asked = Context<ClassifierTypes, z.infer<typeof params>>

/** Σ ℓ_i^{1 − λ} / Σ ℓ_i^{−λ}, the weights being constants of the step. */
const weighed =
  (lambda: number): ClassifierTerm['loss'] =>
  ({ logits, labels, logSumExp, pick, subtract, maximum, power, stop, add, multiply, divide, sum }) => {
    const each = subtract(logSumExp(logits), pick(logits, labels))
    // Rounding may give a loss below 0, which has no root.
    const weights = stop(divide(1, add(power(maximum(each, 0), lambda), 1e-15)))
    return divide(sum(multiply(weights, each)), sum(weights))
  }

/** Where the mean squared gradients of batches are at least γ times as large on D_f as on D_r. */
async function fisherMask({ trainer, forget, retain, params: { batchSize, threshold } }: Asked): Promise<Mask> {
  const [inForget, inRetain] = [
    await trainer.importance(fitLabels(forget, { batchSize })),
    await trainer.importance(fitLabels(retain, { batchSize })),
  ]
  const chosen = (name: string, values: Float32Array) =>
    Uint8Array.from(values, (value, i) => ((value + 1e-15) / (inRetain.get(name)![i]! + 1e-15) >= threshold ? 1 : 0))
  return new Map([...inForget].map(([name, values]) => [name, chosen(name, values)]))
}

export const sfrOn = defineMethod({
  title: 'SFR-on',
  summary: 'Fits D_r, with a step of weighed and masked gradient ascent on D_f every few steps.',
  paper: {
    title: 'Unified Gradient-Based Machine Unlearning with Remain Geometry Enhancement (Huang et al., NeurIPS 2024)',
    url: 'https://arxiv.org/abs/2409.19732',
  },
  version: 1,
  on: {
    classification: onClassification({
      params,
      async run(context) {
        const { params, trainer, forget, retain, random } = context
        const { steps, forgetEvery, batchSize, learningRate, alpha, lambda, mask: kind } = params
        const mask =
          kind === 'fisher'
            ? await fisherMask(context)
            : await maskFor({ ...context, params: { ...params, mask: kind } })
        const held =
          mask && trainer.hold(new Map([...mask].map(([name, entries]) => [name, Float32Array.from(entries)])))
        const optimizer = trainer.sgd({
          ...params,
          // Momentum goes on between the two kinds of steps, so that one optimizer takes both and the mask is part of the direction.
          mask: undefined,
          direction({ gradient, number, weightsOf, multiply }) {
            const climbed = multiply(number('climb'), gradient(0))
            return held ? multiply(weightsOf(held), climbed) : climbed
          },
        })
        const [nextForget, nextRetain] = [cycle(forget, random), cycle(retain, random)]
        for (let step = 0; step < steps; step += forgetEvery) {
          const rate = (further: number) => learningRate * cosine(step + further, steps)
          await optimizer.descend(
            [{ on: { items: nextForget(batchSize), batchSize }, loss: weighed(lambda), weight: -1 }],
            {
              steps: 1,
              learningRate: rate,
              numbers: { climb: -alpha * cosine(step, steps) },
            },
          )
          const count = Math.min(forgetEvery, steps - step)
          const span = { passes: 1, learningRate: rate, direction: null, clipNorm: null }
          await optimizer.descend([fitLabels(nextRetain(count * batchSize), { batchSize })], span)
        }
      },
    }),
  },
})
