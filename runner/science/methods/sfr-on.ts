/** SFR-on: now and then a step of gradient ascent on D_f, weighed by example and masked by the ratio of Fisher informations, between
 *  steps that fit D_r (https://arxiv.org/abs/2409.19732). The released code's moving average gives the last weights, or all but,
 *  and is left out. */
import { z } from 'zod'
import { acting, actingWith } from '../acting.ts'
import type { Expr, Operations } from '../expression.ts'
import type { Mask } from '../mask.ts'
import { type DirectionValues, defineMethod, type TaskTypes, type Trainer } from '../method.ts'
import { type ClassifierTerm, fitLabels, onClassification, sgd } from '../tasks/classification/vocabulary.ts'
import { adamSteps, type DiffusionTerm, fitImages, onGeneration } from '../tasks/generation/vocabulary.ts'
import { cycle } from './parts/cycle.ts'
import { clippedSquares, fisherRatioMask } from './parts/fisher-ratio.ts'
import { denoiserMaskFor, density, guidanceOfMask, maskFor } from './parts/saliency.ts'
import { cosine } from './parts/schedule.ts'

/** A run reports a loss for each of its turns on D_f and on D_r. */
const MOST_TURNS = 2000

const alpha = z.number().min(0).max(1e5)
const lambda = z
  .number()
  .min(0)
  .max(10)
  .default(0.5)
  .describe(
    'λ: an example of D_f weighs as its loss to the power of −λ, so that what is forgotten counts less; 0 weighs all alike.',
  )
const mask = z
  .enum(['fisher', 'saliency', 'random', 'inverted', 'none'])
  .default('fisher')
  .describe(
    'Which weights a step on D_f moves: `fisher` those whose Fisher information on D_f is at least `threshold` times that on D_r, `saliency` SalUn’s; `random` and `inverted` (SalUn’s least salient) are controls, `none` moves all. Steps on D_r move all weights.',
  )
const threshold = actingWith(
  z
    .number()
    .min(0)
    .max(1e6)
    .default(1)
    .describe('γ: least ratio of the two Fisher informations of a weight that moves.'),
  { mask: ['fisher'] },
)

const turns = acting(
  sgd.omit({ epochs: true }).extend({
    steps: z.int().min(1).max(100_000).default(1500).describe('Steps on D_r.'),
    forgetEvery: z.int().min(1).max(100_000).default(5).describe('Steps on D_r that follow each step on D_f.'),
    batchSize: sgd.shape.batchSize.default(128),
    learningRate: sgd.shape.learningRate.describe('Learning rate of SGD; it falls along half a cosine.'),
    alpha: alpha.default(25).describe('α: factor of the loss that is climbed on D_f; it falls with the learning rate.'),
    lambda,
    clipNorm: z.number().gt(0).max(1000).default(7).describe('Largest gradient norm of a step on D_f, after the mask.'),
    mask,
    threshold,
    density,
  }),
).refine(({ steps, forgetEvery }) => steps / forgetEvery <= MOST_TURNS, {
  path: ['steps'],
  message: `expected at most ${MOST_TURNS} times forgetEvery`,
})

/** Σ ℓ_i^{1 − λ} / Σ ℓ_i^{−λ} of losses ℓ_i, the weights being constants of the step. */
function weighed(losses: Expr, lambda: number, epsilon: number, values: Operations): Expr {
  const { maximum, power, stop, add, multiply, divide, sum } = values
  // Rounding may give a loss below 0, which has no root.
  const weights = stop(divide(1, add(power(maximum(losses, 0), lambda), epsilon)))
  return divide(sum(multiply(weights, losses)), sum(weights))
}

/** The masked climb of a step on D_f, α being the number `climb`. Momentum goes on between the two kinds of steps, so that one
 *  optimizer takes both, and the mask is part of the direction. */
function climbing<T extends TaskTypes>(trainer: Trainer<T>, mask: Mask | undefined) {
  const held = mask && trainer.hold(new Map([...mask].map(([name, entries]) => [name, Float32Array.from(entries)])))
  return ({ gradient, number, weightsOf, multiply }: DirectionValues & Operations) => {
    const climbed = multiply(number('climb'), gradient(0))
    return held ? multiply(weightsOf(held), climbed) : climbed
  }
}

export const sfrOn = defineMethod({
  title: 'SFR-on',
  summary: 'Fits D_r, with a step of weighed and masked gradient ascent on D_f every few steps.',
  paper: {
    title: 'Unified Gradient-Based Machine Unlearning with Remain Geometry Enhancement (Huang et al., NeurIPS 2024)',
    url: 'https://arxiv.org/abs/2409.19732',
  },
  version: 1,
  mark: 29,
  on: {
    classification: onClassification({
      params: turns,
      search: { learningRate: '1e-3..0.5', alpha: '5..400' },
      async run(context) {
        const { params, trainer, forget, retain, random } = context
        const { steps, forgetEvery, batchSize, learningRate, alpha, lambda, mask: kind } = params
        const squares = (items: Int32Array) => trainer.importance(fitLabels(items, { batchSize }))
        const mask =
          kind === 'fisher'
            ? fisherRatioMask(await squares(forget), await squares(retain), params.threshold)
            : await maskFor({ ...context, params: { ...params, mask: kind } })
        const optimizer = trainer.sgd({ ...params, mask: undefined, direction: climbing(trainer, mask) })
        const climb: ClassifierTerm['loss'] = ({ logits, labels, ...values }) =>
          weighed(values.subtract(values.logSumExp(logits), values.pick(logits, labels)), lambda, 1e-15, values)
        const [nextForget, nextRetain] = [cycle(forget, random), cycle(retain, random)]
        for (let step = 0; step < steps; step += forgetEvery) {
          const rate = (further: number) => learningRate * cosine(step + further, steps)
          await optimizer.descend([{ on: { items: nextForget(batchSize), batchSize }, loss: climb, weight: -1 }], {
            steps: 1,
            learningRate: rate,
            numbers: { climb: -alpha * cosine(step, steps) },
          })
          const count = Math.min(forgetEvery, steps - step)
          const span = { passes: 1, learningRate: rate, direction: null, clipNorm: null }
          await optimizer.descend([fitLabels(nextRetain(count * batchSize), { batchSize })], span)
        }
      },
    }),
    generation: onGeneration({
      params: acting(
        adamSteps.extend({
          steps: z
            .int()
            .min(1)
            .max(MOST_TURNS)
            .default(150)
            .describe('Steps of Adam on D_f, each followed by one on D_r.'),
          clipNorm: adamSteps.shape.clipNorm.describe('Largest gradient norm of a step; on D_f after the mask.'),
          alpha: alpha
            .default(10)
            .describe('α: factor of the loss that is climbed on D_f; it falls along half a cosine.'),
          lambda,
          mask,
          threshold,
          density,
          maskGuidance: actingWith(guidanceOfMask, { mask: ['fisher', 'saliency', 'inverted'] }),
        }),
      ),
      async run(context) {
        const { params, trainer, forget, retain } = context
        const { steps, batchSize, dropCondition, alpha, lambda, mask: kind, maskGuidance: guidance } = params
        const squares = (items: Int32Array) => {
          const guided: DiffusionTerm['loss'] = ({ x, t, label, noise, predict, squaredError }) =>
            squaredError(noise, predict({ x, t, label }, { guidance }), 'sum')
          const batches = Math.ceil(items.length / batchSize)
          return clippedSquares(trainer, { on: { items, batchSize }, loss: guided }, batches, 1)
        }
        const mask =
          kind === 'fisher'
            ? fisherRatioMask(await squares(forget), await squares(retain), params.threshold)
            : await denoiserMaskFor({ ...context, params: { ...params, mask: kind } })
        const optimizer = trainer.adam({ ...params, mask: undefined, direction: climbing(trainer, mask) })
        const climb: DiffusionTerm = {
          on: { items: forget, batchSize, dropCondition },
          loss({ x, t, label, noise, predict, ...values }) {
            const { square, subtract, sum } = values
            // [n, c, h, w] -> [n]
            const each = [3, 2, 1].reduce(sum, square(subtract(noise, predict({ x, t, label }))))
            return weighed(each, lambda, 1e-8, values)
          },
          weight: -1,
        }
        for (let step = 0; step < steps; step++) {
          await optimizer.descend([climb], { steps: 1, numbers: { climb: -alpha * cosine(step, steps) } })
          await optimizer.descend([fitImages(retain, params)], { steps: 1, direction: null })
        }
      },
    }),
  },
})
