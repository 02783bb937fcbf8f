/** The training steps that are measured: for each a graph, its feeds, and what the same step needs to know in PyTorch. */

import { drawKeys } from '../../runner/engine/nn/counter-random.ts'
import { denoiserNetworkOf } from '../../runner/engine/nn/denoiser-network.ts'
import { ddpmUnet } from '../../runner/engine/nn/denoisers/ddpm-unet.ts'
import { initialState } from '../../runner/engine/nn/initial-state.ts'
import type { ModelDefinition } from '../../runner/engine/nn/model.ts'
import { resnet18 } from '../../runner/engine/nn/models/resnet18.ts'
import { smallCnn } from '../../runner/engine/nn/models/small-cnn.ts'
import { networkOf, type Variables } from '../../runner/engine/nn/network.ts'
import { randomStream } from '../../runner/engine/nn/random.ts'
import { feedName, valueFeeds } from '../../runner/engine/nn/variables.ts'
import type { Graph } from '../../runner/engine/onnx/graph.ts'
import { floats, int64s, type Shape, sizeOf, type Tensor, tensor, zeros } from '../../runner/engine/onnx/tensor.ts'
import type { Objective } from '../../runner/engine/training/objective.ts'
import { optimizerOf } from '../../runner/engine/training/optimizers.ts'
import { type ClassifierTypes, fitLabels } from '../../runner/science/tasks/classification/vocabulary.ts'
import { type DiffusionTypes, fitImages } from '../../runner/science/tasks/generation/vocabulary.ts'
import { classifierObjective } from '../../runner/tasks/classification/objective.ts'
import { diffusionObjective } from '../../runner/tasks/generation/objective.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import type { OptimizerSpec } from '../../schema/parts/recipe.ts'
import { optimizer } from '../../schema/parts/recipe.ts'
import { generationOf } from '../../schema/tasks/generation.ts'
import { stepsOf } from '../support/steps.ts'

const generationQuickstart = benchmarks.get('fashion-mnist-5k-16.ddpm-unet.class-0')!

export interface BenchCase {
  name: string
  /** Steps in one timed call, about a second's worth. */
  steps: number
  /** For the PyTorch side. */
  spec: {
    model: string
    params: object
    inputShape: Shape
    optimizer: OptimizerSpec
    clipNorm: number | null
    rate: number
  }
  program(): Graph
  /** Inputs of `count` steps, the same for every call; `images` says how many stay resident. */
  feeds(count: number): Record<string, Tensor>
}

export const BATCH = 64
const CLASSES = 10
/** Images that stay resident. */
const IMAGES = 256

const random = () => randomStream(0, 'bench')
const integers = (shape: Shape, bound: number) => {
  const { integer } = random()
  return int64s(
    shape,
    Array.from({ length: sizeOf(shape) }, () => integer(bound)),
  )
}
const pixels = (inputShape: Shape) => {
  const { integer } = random()
  const shape = [IMAGES, ...inputShape]
  return tensor(
    'uint8',
    shape,
    Uint8Array.from({ length: sizeOf(shape) }, () => integer(256)),
  )
}
const everything = Int32Array.from(Array(IMAGES).keys())
/** Images of this shape as a training set; batches are fed by hand, so that labels don't matter. */
const resident = (inputShape: Shape) => ({
  images: pixels(inputShape).data as Uint8Array,
  labels: new Uint8Array(IMAGES),
  count: IMAGES,
})
const perStep = (steps: number, rate: number) => ({
  steps: tensor('int64', [], BigInt64Array.of(BigInt(steps))),
  rates: floats([steps], new Float32Array(steps).fill(rate)),
})
const freshState = (network: Variables, slots: readonly string[]) =>
  Object.fromEntries([
    ...Object.entries(valueFeeds(initialState(network, 0))),
    ...slots.flatMap((slot) =>
      network.parameters.map(({ name, shape }) => [feedName(name, slot), zeros(shape)] as const),
    ),
    ['step', floats([], [0])] as const,
  ])

interface Classifier {
  name: string
  model: string
  definition: ModelDefinition
  inputShape: Shape
  params: Record<string, number>
  steps: number
}

function classifier({ name, model, definition, inputShape, params, steps }: Classifier): BenchCase {
  const normalization = { mean: [0.5], std: [0.25] }
  const full = definition.params.parse(params)
  const network = networkOf(inputShape, CLASSES, (scope, x) =>
    definition.build(scope, x, { classes: CLASSES, normalization }, full),
  )
  const rate = 0.01
  const objective: Objective<ClassifierTypes> = classifierObjective({
    network,
    train: resident(inputShape),
    augment: false,
  })
  const sgd = optimizer.parse({ kind: 'sgd' })
  return {
    name,
    steps,
    spec: { model, params: full, inputShape, optimizer: sgd, clipNorm: null, rate },
    program: () => stepsOf(objective, fitLabels(everything, { batchSize: BATCH }), { optimizer: sgd }),
    feeds: (count) => ({
      ...freshState(network, optimizerOf(sgd).slots),
      ...perStep(count, rate),
      images: pixels(inputShape),
      'items.0': integers([count, BATCH], IMAGES),
      'labels.0': integers([count, BATCH], CLASSES),
    }),
  }
}

/** The denoiser of the generation quickstart. */
function denoiser(steps: number): BenchCase {
  const { model, training, task } = generationQuickstart
  const { diffusion, dropCondition } = generationOf({ task })!.denoising
  const params = ddpmUnet.params.parse(model.params)
  const inputShape = [1, 16, 16]
  const network = denoiserNetworkOf(inputShape, CLASSES, (scope, inputs) =>
    ddpmUnet.build(scope, inputs, { classes: CLASSES }, params),
  )
  const { optimizer, clipNorm, learningRate: rate } = training
  const objective: Objective<DiffusionTypes> = diffusionObjective({
    denoiser: network,
    diffusion,
    train: resident(inputShape),
    seed: 0,
    flip: false,
    executor: () => {
      throw new Error('a step on images samples nothing')
    },
  })
  return {
    name: 'small U-Net (generation quickstart)',
    steps,
    spec: { model: 'ddpm-unet', params, inputShape, optimizer, clipNorm, rate },
    program: () =>
      stepsOf(objective, fitImages(everything, { batchSize: BATCH, dropCondition }), { optimizer, clipNorm }),
    feeds: (count) => ({
      ...freshState(network, optimizerOf(optimizer).slots),
      ...perStep(count, rate),
      images: pixels(inputShape),
      'items.0': integers([count, BATCH], IMAGES),
      't.0': integers([count, BATCH], diffusion.timesteps),
      'labels.0': integers([count, BATCH], CLASSES + 1),
      'keys.0': drawKeys(random(), [count, BATCH]),
    }),
  }
}

const resnet = (width: number, steps: number) =>
  classifier({
    name: `ResNet-18, width ${width}`,
    model: 'resnet18',
    definition: resnet18,
    inputShape: [3, 32, 32],
    params: { width },
    steps,
  })

export const cases: ReadonlyMap<string, BenchCase> = new Map([
  ['resnet18-64', resnet(64, 1)],
  ['resnet18-16', resnet(16, 6)],
  [
    'small-cnn',
    classifier({
      name: 'small CNN (quickstart)',
      model: 'small-cnn',
      definition: smallCnn,
      inputShape: [1, 28, 28],
      params: {},
      steps: 100,
    }),
  ],
  ['small-unet', denoiser(10)],
])
