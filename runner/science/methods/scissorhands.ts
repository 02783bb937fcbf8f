/** Scissorhands: makes fresh the weights that D_f depends on most, then trains between D_r and D_f along gradients that still unlearn
 *  (https://arxiv.org/abs/2401.06187). In the released code norms of a shortcut are made fresh as well. That for Stable Diffusion
 *  makes fresh only the self-attention of two blocks, from a normal distribution; a denoiser here may lose any weight. */
import { z } from 'zod'
import { acting, actingWith } from '../acting.ts'
import { largest } from '../mask.ts'
import { type Context, defineMethod, type RandomStream, type TaskTypes, type Term, UnfitError } from '../method.ts'
import { fitLabels, onClassification, sgd } from '../tasks/classification/vocabulary.ts'
import { adamSteps, fitImages, onGeneration } from '../tasks/generation/vocabulary.ts'
import { flatten, type Parameter, unflatten } from '../weights.ts'
import { layersOf, ownOf } from './parts/layers.ts'

/** The terms of a step, in this order. */
const [RETAIN, FORGET] = [0, 1]
const GEM = { projection: ['gem'] }

const snip = {
  snipBatches: z
    .int()
    .min(1)
    .max(1000)
    .default(1)
    .describe('Random batches of D_f whose |gradient| is summed for that.'),
  lambda: z.number().min(0).max(1000).default(0.05).describe('λ of L(D_r) − λ L(D_f).'),
}
const sparsity = z
  .number()
  .min(0)
  .max(1)
  .default(0.97)
  .describe('Share of all weights that are kept: those with the smallest |weight × gradient| on D_f.')

const params = acting(
  sgd.extend({
    epochs: sgd.shape.epochs.describe('Passes over D_r; batches of D_f come beside until all of D_f was seen.'),
    learningRate: sgd.shape.learningRate.default(5e-3),
    sparsity,
    ...snip,
    layers: z
      .enum(['late', 'all'])
      .default('late')
      .describe(
        'What may be made fresh and is projected: parameters named layer3, layer4 or fc (`late`, the released code) or `all`.',
      ),
    projection: z
      .enum(['gem', 'none'])
      .default('gem')
      .describe(
        '`gem` turns a gradient that would undo the forgetting into the nearest one that does not, by the dual of gradient episodic memory (the released commands); `none` takes it as it is.',
      ),
    margin: actingWith(z.number().min(0).max(1000).default(0.5).describe('Least factor of what is then added.'), GEM),
  }),
)

export const scissorhands = defineMethod({
  title: 'Scissorhands',
  summary:
    'Makes fresh the weights that matter most for D_f, then descends D_r and climbs D_f with projected gradients.',
  paper: { title: 'Scissorhands (Wu and Harandi, ECCV 2024)', url: 'https://arxiv.org/abs/2401.06187' },
  version: 1,
  mark: 26,
  on: {
    classification: onClassification({
      params,
      search: { learningRate: '1e-3..0.5', sparsity: '0.9..0.99' },
      async run(context) {
        const { params, trainer, forget, retain, random } = context
        const { epochs, batchSize, lambda, projection, margin } = params
        const layers = layersOf(trainer.parameters.filter(({ name }) => params.layers === 'all' || isLate(name)))
        if (layers.length === 0)
          throw new UnfitError(
            'layers: no parameter of this model is named layer3, layer4 or fc, which is what `late` means; ask for layers=all',
          )
        await cut(context, layers, await slopesOn(context, (items) => fitLabels(items, { batchSize })))
        const chosen = new Set(layers.flat())
        const beside = Math.min(batchSize, forget.length)
        const memory = trainer.hold(await trainer.read())
        const optimizer = trainer.sgd({
          ...params,
          direction:
            projection === 'none'
              ? undefined
              : ({ gradient, weightsOf, add, subtract, multiply, divide, negate, maximum, greater, dot }) => {
                  const step = subtract(gradient(RETAIN), multiply(lambda, gradient(FORGET)))
                  const climb = weightsOf(memory)
                  const along = dot(step, climb)
                  // The dual has one variable: minimise ½ v² |m|² + v g·m over v ≥ margin.
                  const v = maximum(divide(negate(along), add(dot(climb, climb), 1e-3)), margin)
                  return add(step, multiply(climb, multiply(greater(0, along), v)))
                },
        })
        for (let epoch = 0; epoch < epochs; epoch++) {
          if (projection === 'gem') {
            const slopes = await trainer.gradient({ ...fitLabels(someOf(context), { batchSize }), weight: -1 })
            const kept = trainer.parameters.map((one): [string, Float32Array] => [
              one.name,
              chosen.has(one) ? slopes.get(one.name)! : new Float32Array(one.size),
            ])
            memory.retake(new Map(kept))
          }
          const order = random.shuffle(retain)
          const both = Math.ceil(forget.length / beside) * batchSize
          await optimizer.descend(
            [
              fitLabels(order.subarray(0, both), { batchSize }),
              { ...fitLabels(forget, { batchSize: beside }), weight: -lambda },
            ],
            { passes: 1 },
          )
          if (both < order.length)
            await optimizer.descend([fitLabels(order.subarray(both), { batchSize })], { passes: 1, direction: null })
        }
      },
    }),
    generation: onGeneration({
      params: adamSteps.extend({
        sparsity: sparsity
          .default(0.99)
          .describe(
            'Share of all weights that are kept: those with the smallest |weight × gradient| on D_f. The released code for Stable Diffusion keeps 0.9 of them where it is told nothing.',
          ),
        ...snip,
        snipGuidance: z
          .number()
          .min(0)
          .max(100)
          .default(2)
          .describe(
            'Guidance of the prediction whose loss gives that gradient; 7.5 in the released code for Stable Diffusion.',
          ),
        lambda: snip.lambda.default(0.1),
      }),
      async run(context) {
        const { params, trainer, forget, retain } = context
        const { batchSize, steps, lambda, snipGuidance: guidance } = params
        const slopes = await slopesOn(context, (items) => ({
          on: { items, batchSize },
          loss: ({ x, t, label, noise, predict, squaredError }) =>
            squaredError(noise, predict({ x, t, label }, { guidance }), 'mean'),
        }))
        await cut(context, layersOf(trainer.parameters), slopes)
        await trainer
          .adam(params)
          .descend([fitImages(retain, params, 1, 'mean'), fitImages(forget, params, -lambda, 'mean')], { steps })
      },
    }),
  },
})

const isLate = (name: string) => /layer3|layer4|fc/.test(name)

/** A random batch of D_f. */
const someOf = ({
  params,
  forget,
  random,
}: {
  params: { batchSize: number }
  forget: Int32Array
  random: RandomStream
}): Int32Array => random.shuffle(forget).subarray(0, params.batchSize)

/** Sums |gradient| of random batches of D_f over all weights. */
async function slopesOn<T extends TaskTypes>(
  context: Context<T, { batchSize: number; snipBatches: number }>,
  termOn: (items: Int32Array) => Term<T>,
): Promise<Float32Array> {
  const { params, trainer } = context
  const sum = new Float32Array(trainer.parameters.reduce((total, { size }) => total + size, 0))
  for (let i = 0; i < params.snipBatches; i++) {
    const found = flatten(await trainer.gradient(termOn(someOf(context))))
    found.forEach((slope, at) => {
      sum[at]! += Math.abs(slope)
    })
  }
  return sum
}

/** Makes fresh what |weight × slope| finds among the layers: matrices and kernels as PyTorch begins them, biases 0. */
async function cut<T extends TaskTypes>(
  { params, trainer, random }: Context<T, { sparsity: number }>,
  layers: readonly Parameter[][],
  slopes: Float32Array,
): Promise<void> {
  const weights = await trainer.read()
  const scores = flatten(weights).map((weight, i) => Math.abs(weight * slopes[i]!))
  const few = scores.length - Math.floor(params.sparsity * scores.length)
  const isCut = unflatten(trainer.parameters, largest(scores, few))
  const fresh = layers.flatMap(ownOf).map(({ name, shape }): [string, Float32Array] => {
    const bound = 1 / Math.sqrt(shape.slice(1).reduce((inputs, extent) => inputs * extent, 1))
    const drawn = weights.get(name)!.map(() => (shape.length > 1 ? bound * (2 * random.uniform() - 1) : 0))
    return [name, drawn.map((value, i) => (isCut.get(name)![i] ? value : weights.get(name)![i]!))]
  })
  await trainer.write(new Map(fresh))
}
