/** IU, influence unlearning: one step of Newton's, whose inverse Hessian is made of single gradients by WoodFisher's recursion
 *  (https://arxiv.org/abs/2304.04934, Appendix B; `Wfisher` in the released code). */
import { z } from 'zod'
import { acting, actingWith } from '../acting.ts'
import { defineMethod, UnfitError } from '../method.ts'
import { type ClassifierTerm, onClassification } from '../tasks/classification/vocabulary.ts'
import { flatten, unflatten } from '../weights.ts'
import { maskFor, plainMasked } from './parts/saliency.ts'

/** Images in a batch whose gradients are summed; what comes out doesn't follow from it. */
const BATCH = 256
/** Most bytes that the gradients of the exact inverse may take. */
const MOST = 2 ** 31

export const iu = defineMethod({
  title: 'IU',
  summary:
    'Undoes the influence of D_f in one step along its gradient, by an inverse Hessian made of single gradients.',
  paper: {
    title: 'Understanding Black-box Predictions via Influence Functions (Koh and Liang, ICML 2017)',
    url: 'https://arxiv.org/abs/1703.04730',
  },
  version: 1,
  mark: 17,
  on: {
    classification: onClassification({
      params: acting(
        z.strictObject({
          ...plainMasked,
          alpha: z
            .number()
            .min(0)
            .max(10_000)
            .default(1)
            .describe(
              'α: factor of the step; searched from 1 to 20 for SalUn’s Table 1, 0.2 by default in the released code.',
            ),
          samples: z
            .int()
            .min(1)
            .max(100_000)
            .default(1000)
            .describe(
              'N of the recursion: single images of D_r, in the order of the dataset, whose gradients make the Hessian. As released, the recursion reads two more than N.',
            ),
          recursion: z
            .enum(['released', 'exact'])
            .default('released')
            .describe(
              '`released` keeps one vector o beside the step k: k − (k·g)/(N + o·g) o, where o stays along the first gradient; `exact` is WoodFisher’s inverse of λ I + 1/N Σ g gᵀ itself, which needs memory for N gradients.',
            ),
          damping: actingWith(z.number().gt(0).max(1e6).default(1).describe('λ of that inverse.'), {
            recursion: ['exact'],
          }),
        }),
      ),
      search: { alpha: '1..100' },
      async run(context) {
        const { params, trainer, forget, retain } = context
        const { alpha, samples, recursion, damping } = params
        const size = trainer.parameters.reduce((sum, parameter) => sum + parameter.size, 0)
        const needed = Math.min(samples, retain.length) * size * 4
        if (recursion === 'exact' && needed > MOST)
          throw new UnfitError(
            `samples: the exact inverse would keep ${needed} bytes of gradients, of at most ${MOST}; ask for at most ${Math.floor(MOST / size / 4)} samples, or for the released recursion`,
          )
        const mask = await maskFor({ ...context, params: { ...params, batchSize: BATCH } })
        const total = forget.length + retain.length
        const ofForget = flatten(await trainer.gradient(summedLoss(forget, BATCH)))
        const ofRetain = flatten(await trainer.gradient(summedLoss(retain, BATCH)))
        const share = forget.length / (total * retain.length)
        const wanted = ofForget.map((slope, i) => slope / total - share * ofRetain[i]!)
        const single = (count: number) => summedLoss(retain.subarray(0, count), 1)
        const step =
          recursion === 'exact'
            ? await trainer.foldGradients(single(samples), ...exactInverse(wanted, samples, damping))
            : await trainer.foldGradients(single(samples + 2), ...releasedInverse(wanted, samples))
        const steps = unflatten(trainer.parameters, step.subarray(0, size))
        const moved = [...(await trainer.read())].map(([name, weights]): [string, Float32Array] => {
          const [own, free] = [steps.get(name)!, mask?.get(name)]
          return [name, weights.map((weight, i) => (free && !free[i] ? weight : weight + alpha * own[i]!))]
        })
        await trainer.write(new Map(moved))
      },
    }),
  },
})

/** Cross-entropy summed over a batch. */
const summedLoss = (items: Int32Array, batchSize: number): ClassifierTerm => ({
  on: { items, batchSize },
  loss: ({ logits, labels, logSumExp, pick, subtract, sum }) => sum(subtract(logSumExp(logits), pick(logits, labels))),
})

type Fold = [initial: Float32Array, step: (sum: Float32Array, gradient: Float32Array, batch: number) => Float32Array]

const dot = (a: Float32Array, b: Float32Array) => {
  let sum = 0
  for (let i = 0; i < b.length; i++) sum += a[i]! * b[i]!
  return sum
}
/** to += factor * values */
const addTo = (to: Float32Array, factor: number, values: Float32Array) => {
  for (let i = 0; i < values.length; i++) to[i]! += factor * values[i]!
}

/** The released recursion: the step k, then o. */
export function releasedInverse(wanted: Float32Array, n: number): Fold {
  const both = new Float32Array(2 * wanted.length)
  both.set(wanted)
  return [
    both,
    (sum, gradient, batch) => {
      const [k, o] = [sum.subarray(0, gradient.length), sum.subarray(gradient.length)]
      if (batch === 0) o.set(gradient)
      else {
        const along = dot(o, gradient)
        addTo(k, -dot(k, gradient) / (n + along), o)
        addTo(o, -along / (n + along), o)
      }
      return sum
    },
  ]
}

/** Sherman and Morrison's formula, gradient by gradient: u = H⁻¹ g, then H⁻¹ v less u (g·H⁻¹ v) / (N + g·u). */
export function exactInverse(wanted: Float32Array, n: number, damping: number): Fold {
  const before: { u: Float32Array; divisor: number }[] = []
  return [
    wanted.map((slope) => slope / damping),
    (sum, gradient) => {
      const u = gradient.map((slope) => slope / damping)
      for (const { u: earlier, divisor } of before) addTo(u, -dot(earlier, gradient) / divisor, earlier)
      const divisor = n + dot(gradient, u)
      addTo(sum, -dot(sum, gradient) / divisor, u)
      before.push({ u, divisor })
      return sum
    },
  ]
}
