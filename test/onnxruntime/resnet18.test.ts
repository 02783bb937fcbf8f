/** Training ResNet-18 as PyTorch does: losses, gradients, and weights after three steps (test/golden/resnet18/make.py). */
import { beforeAll, describe, expect, test } from 'vitest'
import { differentiate } from '../../runner/engine/autodiff/differentiate.ts'
import { resnet18 } from '../../runner/engine/nn/models/resnet18.ts'
import { networkOf, parameterCount } from '../../runner/engine/nn/network.ts'
import { feedName, valueFeeds } from '../../runner/engine/nn/variables.ts'
import { addInput, addOutput, newGraph } from '../../runner/engine/onnx/graph.ts'
import { opsFor } from '../../runner/engine/onnx/ops.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { floats, int64s, sizeOf, type Tensor, tensor, zeros } from '../../runner/engine/onnx/tensor.ts'
import { crossEntropy } from '../../runner/engine/training/losses.ts'
import { fitLabels } from '../../runner/science/tasks/classification/vocabulary.ts'
import { classifierObjective } from '../../runner/tasks/classification/objective.ts'
import { goldenJson } from '../runner/golden.ts'
import { stepsOf } from '../support/steps.ts'
import { distance, type Sketched, uniforms } from './uniform.ts'

interface Reference {
  optimizer: { rate: number; momentum: number; weightDecay: number }
  losses: number[]
  gradients: Record<string, Sketched>
  /** `moved` is the norm of the change. */
  trained: Record<string, Sketched & { moved: number }>
}

const reference = goldenJson('resnet18/reference.json') as Reference
const [BATCH, STEPS, CLASSES] = [8, 3, 10]
/** Streams of the shared generator; tensor number i has stream FIRST_TENSOR + i. */
const [IMAGES, LABELS, FIRST_TENSOR] = [891, 202, 210]
const streamOf = (name: string) => FIRST_TENSOR + Object.keys(reference.trained).indexOf(name)

const normalization = { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] }
const network = networkOf([3, 32, 32], CLASSES, (scope, x) =>
  resnet18.build(scope, x, { classes: CLASSES, normalization }, { width: 64 }),
)
const images = Uint8Array.from(uniforms(IMAGES, STEPS * BATCH * 3 * 32 * 32, 0, 256))
const labels = Array.from(uniforms(LABELS, STEPS * BATCH, 0, CLASSES), Math.floor)

/** Bounds as the reference has them. */
function initial(name: string, shape: readonly number[]): Tensor {
  const within = (low: number, high: number) => floats(shape, uniforms(streamOf(name), sizeOf(shape), low, high))
  if (name.endsWith('running_mean')) return zeros(shape)
  if (name.endsWith('running_var')) return floats(shape, new Float32Array(sizeOf(shape)).fill(1))
  const bound =
    shape.length === 4
      ? Math.sqrt(6 / (shape[0]! * shape[2]! * shape[3]!))
      : name.startsWith('fc')
        ? 1 / Math.sqrt(512)
        : 0.2
  return shape.length === 1 && name.endsWith('weight') ? within(0.5, 1.5) : within(-bound, bound)
}
const state = Object.fromEntries(
  [...network.parameters, ...network.buffers].map(({ name, shape }) => [name, initial(name, shape)]),
)

const distanceOf = (name: string, { data }: Tensor, summary: Sketched) =>
  distance(streamOf(name), data as Float32Array, summary)

/** A true error above 1e-4 passes an estimate of half that with probability below 1e-6. */
const TOLERANCE = 1e-4 / 2

test('the network has the parameters of the reference, in its order', () => {
  expect(parameterCount(network)).toBe(11_173_962)
  expect(network.parameters.map(({ name }) => name)).toEqual(Object.keys(reference.gradients))
  for (const { name, shape } of network.parameters) expect(shape).toEqual(reference.gradients[name]!.shape)
})

test('loss and gradients of one batch agree with PyTorch', async () => {
  const graph = newGraph()
  const ops = opsFor(graph)
  const values = new Map(
    [...network.parameters, ...network.buffers].map(({ name, shape }) => [
      name,
      addInput(graph, name, 'float32', shape),
    ]),
  )
  const x = addInput(graph, 'x', 'float32', [BATCH, 3, 32, 32])
  const targets = addInput(graph, 'targets', 'int64', [BATCH])
  const loss = crossEntropy(ops, network.forward(ops, x, values, true).logits, targets)
  const wrt = network.parameters.map(({ name }) => values.get(name)!)
  differentiate(graph, loss, wrt).forEach((gradient, i) => {
    addOutput(graph, `gradient/${network.parameters[i]!.name}`, gradient)
  })
  addOutput(graph, 'loss', loss)
  const session = await openSession(graph)
  const pixels = Float32Array.from(images.subarray(0, BATCH * 3 * 32 * 32), (byte) => byte * Math.fround(1 / 255))
  const outputs = await session.run({
    ...state,
    x: floats([BATCH, 3, 32, 32], pixels),
    targets: int64s([BATCH], labels.slice(0, BATCH)),
  })
  await session.release()
  expect(Math.abs(Number(outputs.loss!.data[0]) / reference.losses[0]! - 1)).toBeLessThan(1e-6)
  const errors = Object.entries(reference.gradients).map(
    ([name, summary]) => [distanceOf(name, outputs[`gradient/${name}`]!, summary) / summary.norm, name] as const,
  )
  for (const [error, name] of errors) expect(error, name).toBeLessThan(TOLERANCE)
}, 60_000)

describe('three SGD steps with momentum and weight decay', () => {
  let outputs: Record<string, Tensor>
  beforeAll(async () => {
    const { rate, momentum, weightDecay } = reference.optimizer
    const train = { images, labels: Uint8Array.from(labels), count: STEPS * BATCH }
    const objective = classifierObjective({ network, train, augment: false })
    const term = fitLabels(Int32Array.from(train.labels.keys()), { batchSize: BATCH })
    const optimizer = { kind: 'sgd', momentum, weightDecay, nesterov: false } as const
    const session = await openSession(stepsOf(objective, term, { optimizer }))
    outputs = await session.run({
      ...valueFeeds(Object.entries(state)),
      ...Object.fromEntries(network.parameters.map(({ name, shape }) => [feedName(name, 'momentum'), zeros(shape)])),
      step: floats([], [0]),
      steps: tensor('int64', [], BigInt64Array.of(BigInt(STEPS))),
      images: tensor('uint8', [STEPS * BATCH, 3, 32, 32], images),
      'items.0': int64s([STEPS, BATCH], [...Array(STEPS * BATCH).keys()]),
      'labels.0': int64s([STEPS, BATCH], labels),
      rates: floats([STEPS], Array(STEPS).fill(rate)),
    })
    await session.release()
  }, 60_000)

  test('give the losses of PyTorch', () => {
    reference.losses.forEach((loss, step) => {
      expect(Math.abs(Number(outputs.losses!.data[step]) / loss - 1)).toBeLessThan(1e-5)
    })
  })

  test('give the weights and running statistics of PyTorch', () => {
    const errors = Object.entries(reference.trained).map(
      ([name, summary]) =>
        [distanceOf(name, outputs[`next/${feedName(name)}`]!, summary) / summary.norm, name] as const,
    )
    for (const [error, name] of errors) expect(error, name).toBeLessThan(TOLERANCE)
  })

  test('move all weights together as PyTorch does', () => {
    const total = (of: (name: string) => number) =>
      Math.sqrt(network.parameters.reduce((sum, { name }) => sum + of(name) ** 2, 0))
    const off = total((name) => distanceOf(name, outputs[`next/${feedName(name)}`]!, reference.trained[name]!))
    expect(off / total((name) => reference.trained[name]!.moved)).toBeLessThan(1e-3)
  })
})
