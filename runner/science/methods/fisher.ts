/** Fisher forgetting: noise on every weight, the more the less it matters for D_r (https://arxiv.org/abs/1911.04933; `fisher` and
 *  `fisher_new` in SalUn's released code). */
import { z } from 'zod'
import { acting, actingWith } from '../acting.ts'
import { type Context, defineMethod, UnfitError } from '../method.ts'
import {
  type ClassifierTerm,
  type ClassifierTypes,
  fitLabels,
  onClassification,
} from '../tasks/classification/vocabulary.ts'
import type { Weights } from '../weights.ts'
import { lastLayers } from './parts/layers.ts'

const params = acting(
  z.strictObject({
    alpha: z
      .number()
      .min(0)
      .max(1e3)
      .default(1e-9)
      .describe(
        'α: factor of the variance of the noise; the authors of SalUn name 1e-9, the code of SSD takes 1e-6 for `expected`.',
      ),
    variant: z
      .enum(['labelled', 'expected'])
      .default('labelled')
      .describe(
        '`labelled` squares the gradient at the true label of each image (`fisher` in SalUn’s released code); `expected` that at every label, weighed by its probability (`fisher_new` there, after Golatkar et al.), averages the variance over inputs, and for a class empties its row of the last layer.',
      ),
    batchSize: actingWith(
      z
        .int()
        .min(1)
        .max(4096)
        .default(32)
        .describe('Images whose mean gradient is squared: 32 in SalUn’s released code, 1 in that of SSD.'),
      { variant: ['expected'] },
    ),
    louder: actingWith(
      z
        .enum(['bias', 'layer'])
        .default('bias')
        .describe(
          'What of the last layer gets ten times the noise: its `bias` alone (what the released code does) or the `layer`.',
        ),
      { variant: ['labelled'] },
    ),
  }),
)
type Params = z.infer<typeof params>

export const fisher = defineMethod({
  title: 'Fisher',
  summary: 'Adds noise to every weight, the louder the less D_r depends on it; nothing is trained.',
  paper: {
    title: 'Eternal Sunshine of the Spotless Net (Golatkar et al., CVPR 2020)',
    url: 'https://arxiv.org/abs/1911.04933',
  },
  version: 1,
  mark: 25,
  on: {
    classification: onClassification({
      params,
      search: { alpha: '1e-9..1e-4' },
      async run(context) {
        const { params, trainer, random } = context
        const spread = params.variant === 'labelled' ? await labelled(context) : await expected(context)
        const weights = await trainer.read()
        const noisy = trainer.parameters.map(({ name }): [string, Float32Array] => {
          const { mean = weights.get(name)!, deviation } = spread.get(name)!
          return [name, mean.map((value, i) => value + deviation[i]! * random.normal())]
        })
        await trainer.write(new Map(noisy))
      },
    }),
  },
})

/** For each parameter how far the noise goes, and around what, if not around the weights. */
type Spread = Map<string, { deviation: Float32Array; mean?: Float32Array }>
type Asked = Context<ClassifierTypes, Params>

async function labelled({ params, trainer, retain }: Asked): Promise<Spread> {
  const fisher = await trainer.importance(fitLabels(retain, { batchSize: 1 }))
  const last = lastLayers(trainer.parameters, 1)[0]!
  const louder = last.filter(({ shape }) => params.louder === 'layer' || shape.length === 1)
  return new Map(
    trainer.parameters.map((parameter) => {
      const factor = louder.includes(parameter) ? 10 : 1
      const deviation = fisher
        .get(parameter.name)!
        .map((square) => factor * Math.min(Math.sqrt(params.alpha / square) || 0, 1e-3))
      return [parameter.name, { deviation }]
    }),
  )
}

async function expected({ params, trainer, retain, forgotten, classes }: Asked): Promise<Spread> {
  const { alpha, batchSize } = params
  const last = lastLayers(trainer.parameters, 1)[0]!
  const { name, shape } = last[0]!
  if (forgotten.length > 0 && shape[0] !== classes)
    throw new UnfitError(
      `variant: expected would empty the row of class ${forgotten.join(', ')}, but ${name} [${shape}] has no row for each of ${classes} classes; ask for labelled`,
    )
  const sums = new Map(trainer.parameters.map(({ name, size }) => [name, new Float32Array(size)]))
  for (let label = 0; label < classes; label++) {
    for (const [name, squares] of await trainer.importance(atLabel(retain, label, batchSize))) {
      const sum = sums.get(name)!
      squares.forEach((square, i) => {
        sum[i]! += square
      })
    }
  }
  const weights: Weights = await trainer.read()
  return new Map(
    trainer.parameters.map((parameter) => {
      const { name, shape, size } = parameter
      const isLast = last.includes(parameter)
      const most = isLast ? 1e2 : 1e3
      const variance = sums.get(name)!.map((square) => alpha * Math.min(1 / (square + 1e-8), most))
      const averaged = shape.length > 1 ? averagedOverInputs(variance, shape) : variance
      const mean = Float32Array.from(weights.get(name)!)
      const row = size / classes
      for (const label of isLast ? forgotten : []) {
        mean.fill(0, label * row, (label + 1) * row)
        averaged.fill(1e-4, label * row, (label + 1) * row)
      }
      const factor = isLast || shape.length === 1 ? 10 : 1
      return [name, { mean, deviation: averaged.map((value) => Math.sqrt(factor * value)) }]
    }),
  )
}

/** Cross-entropy of one label for all images, so that its squared gradient is weighed by the mean probability of the label. */
const atLabel = (items: Int32Array, label: number, batchSize: number): ClassifierTerm => ({
  on: { items, batchSize, labels: new Uint16Array(items.length).fill(label) },
  loss({ logits, labels, softmax, pick, mean, sqrt, stop, multiply, crossEntropy }) {
    const probability = stop(mean(pick(softmax(logits), labels)))
    return multiply(sqrt(probability), crossEntropy(logits, labels))
  },
})

/** The mean over axis 1 in the place of each entry. */
function averagedOverInputs(values: Float32Array, [, inputs = 1, ...kernel]: readonly number[]): Float32Array {
  const within = kernel.reduce((size, extent) => size * extent, 1)
  return values.map((_, at) => {
    const first = Math.floor(at / (inputs * within)) * inputs * within + (at % within)
    let sum = 0
    for (let input = 0; input < inputs; input++) sum += values[first + input * within]!
    return sum / inputs
  })
}
