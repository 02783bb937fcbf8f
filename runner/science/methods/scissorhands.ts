/** Scissorhands: makes fresh the weights that D_f depends on most, then trains between D_r and D_f along gradients that still unlearn
 *  (https://arxiv.org/abs/2401.06187). In the released code norms of a shortcut are made fresh as well. */
import { z } from 'zod'
import { acting, actingWith } from '../acting.ts'
import { largest } from '../mask.ts'
import { type Context, defineMethod, UnfitError } from '../method.ts'
import { type ClassifierTypes, fitLabels, onClassification, sgd } from '../tasks/classification/vocabulary.ts'
import { flatten, type Parameter, unflatten } from '../weights.ts'
import { layersOf, ownOf } from './parts/layers.ts'

/** The terms of a step, in this order. */
const [RETAIN, FORGET] = [0, 1]
const GEM = { projection: ['gem'] }

const params = acting(
  sgd.extend({
    epochs: sgd.shape.epochs.describe('Passes over D_r; batches of D_f come beside until all of D_f was seen.'),
    learningRate: sgd.shape.learningRate.default(5e-3),
    sparsity: z
      .number()
      .min(0)
      .max(1)
      .default(0.97)
      .describe('Share of all weights that are kept: those with the smallest |weight × gradient| on D_f.'),
    snipBatches: z
      .int()
      .min(1)
      .max(1000)
      .default(1)
      .describe('Random batches of D_f whose |gradient| is summed for that.'),
    layers: z
      .enum(['late', 'all'])
      .default('late')
      .describe(
        'What may be made fresh and is projected: parameters named layer3, layer4 or fc (`late`, the released code) or `all`.',
      ),
    lambda: z.number().min(0).max(1000).default(0.05).describe('λ of L(D_r) − λ L(D_f).'),
    projection: z
      .enum(['gem', 'none'])
      .default('gem')
      .describe(
        '`gem` turns a gradient that would undo the forgetting into the nearest one that does not, by the dual of gradient episodic memory (the released commands); `none` takes it as it is.',
      ),
    margin: actingWith(z.number().min(0).max(1000).default(0.5).describe('Least factor of what is then added.'), GEM),
  }),
)
type Params = z.infer<typeof params>
type Asked = Context<ClassifierTypes, Params>

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
      async run(context) {
        const { params, trainer, forget, retain, random } = context
        const { epochs, batchSize, lambda, projection, margin } = params
        const layers = layersOf(trainer.parameters.filter(({ name }) => params.layers === 'all' || isLate(name)))
        if (layers.length === 0)
          throw new UnfitError(
            'layers: no parameter of this model is named layer3, layer4 or fc, which is what `late` means; ask for layers=all',
          )
        await cut(context, layers)
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
  },
})

const isLate = (name: string) => /layer3|layer4|fc/.test(name)

/** A random batch of D_f. */
const someOf = ({ params, forget, random }: Asked): Int32Array => random.shuffle(forget).subarray(0, params.batchSize)

/** Makes fresh what SNIP finds among the layers: matrices and kernels as PyTorch begins them, biases 0. */
async function cut(context: Asked, layers: readonly Parameter[][]): Promise<void> {
  const { params, trainer, random } = context
  const { batchSize, snipBatches, sparsity } = params
  const slopes = new Float32Array(trainer.parameters.reduce((sum, { size }) => sum + size, 0))
  for (let i = 0; i < snipBatches; i++) {
    const found = flatten(await trainer.gradient(fitLabels(someOf(context), { batchSize })))
    found.forEach((slope, at) => {
      slopes[at]! += Math.abs(slope)
    })
  }
  const weights = await trainer.read()
  const scores = flatten(weights).map((weight, i) => Math.abs(weight * slopes[i]!))
  const isCut = unflatten(trainer.parameters, largest(scores, scores.length - Math.floor(sparsity * scores.length)))
  const fresh = layers.flatMap(ownOf).map(({ name, shape }): [string, Float32Array] => {
    const bound = 1 / Math.sqrt(shape.slice(1).reduce((inputs, extent) => inputs * extent, 1))
    const drawn = weights.get(name)!.map(() => (shape.length > 1 ? bound * (2 * random.uniform() - 1) : 0))
    return [name, drawn.map((value, i) => (isCut.get(name)![i] ? value : weights.get(name)![i]!))]
  })
  await trainer.write(new Map(fresh))
}
