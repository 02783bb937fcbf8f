/** Classifiers answer and are differentiated as PyTorch does it, by the same names (test/golden/classifiers/make.py). */
import { describe, expect, test } from 'vitest'
import { differentiate } from '../../runner/engine/autodiff/differentiate.ts'
import { featureCount } from '../../runner/engine/nn/extract.ts'
import type { ModelDefinition } from '../../runner/engine/nn/model.ts'
import * as models from '../../runner/engine/nn/models/index.ts'
import { networkOf, parameterCount } from '../../runner/engine/nn/network.ts'
import { addInput, addOutput, newGraph } from '../../runner/engine/onnx/graph.ts'
import { opsFor } from '../../runner/engine/onnx/ops.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { floats, int64s, sizeOf, type Tensor } from '../../runner/engine/onnx/tensor.ts'
import { crossEntropy } from '../../runner/engine/training/losses.ts'
import { goldenJson } from '../runner/golden.ts'
import { distance, type Sketched, uniforms } from './uniform.ts'

interface Reference {
  model: string
  params: Record<string, unknown>
  /** Height and width. */
  size: [number, number]
  /** Stream of the images. */
  images: number
  shapes: Record<string, number[]>
  /** Logits in evaluation, and in training. */
  evaluated: number[]
  logits: number[]
  loss: number
  gradients: Record<string, Sketched>
}

// As in make.py.
const [BATCH, CLASSES, LABELS, FIRST_TENSOR] = [8, 5, 302, 310]
const normalization = { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] }
const definitions: Record<string, ModelDefinition> = models

function initial(name: string, shape: readonly number[], stream: number): Tensor {
  const positive = name.endsWith('running_var') || (shape.length === 1 && name.endsWith('weight'))
  const bound = shape.length === 1 ? 0.2 : Math.sqrt((4 * shape[0]!) / sizeOf(shape))
  const [low, high] = positive ? [0.5, 1.5] : [-bound, bound]
  return floats(shape, uniforms(stream, sizeOf(shape), low, high))
}

/** Norm of the difference over that of what is expected. */
const furthest = (found: ArrayLike<number | bigint>, expected: readonly number[]) =>
  Math.hypot(...expected.map((value, i) => Number(found[i]) - value)) / Math.hypot(...expected)

/** A true error above 1e-4 passes an estimate of half that with probability below 1e-6. */
const TOLERANCE = 1e-4 / 2

describe.each(['resnet20', 'resnet50', 'swin-t', 'vgg16-bn', 'vit', 'vit-avg'])('%s', (name) => {
  const reference = goldenJson(`classifiers/${name}.json`) as Reference
  const { build, params } = definitions[reference.model]!
  const inputShape = [3, ...reference.size]
  const network = networkOf(inputShape, CLASSES, (scope, x) =>
    build(scope, x, { classes: CLASSES, normalization }, params.parse(reference.params)),
  )
  const variables = [...network.parameters, ...network.buffers]
  const sorted = Object.keys(reference.shapes)

  test('has the weights of the reference, by name and shape', () => {
    expect(Object.fromEntries(variables.map(({ name, shape }) => [name, shape]))).toEqual(reference.shapes)
    expect(network.parameters.map(({ name }) => name).sort()).toEqual(Object.keys(reference.gradients))
  })

  test('has the logits, the loss and the gradients of PyTorch', async () => {
    const graph = newGraph()
    const ops = opsFor(graph)
    const values = new Map(variables.map(({ name, shape }) => [name, addInput(graph, name, 'float32', shape)]))
    const x = addInput(graph, 'x', 'float32', [BATCH, ...inputShape])
    const labels = addInput(graph, 'labels', 'int64', [BATCH])
    addOutput(graph, 'evaluated', network.forward(ops, x, values, false).logits)
    const { logits } = network.forward(ops, x, values, true)
    const loss = crossEntropy(ops, logits, labels)
    const wrt = network.parameters.map(({ name }) => values.get(name)!)
    differentiate(graph, loss, wrt).forEach((gradient, i) => {
      addOutput(graph, `gradient/${network.parameters[i]!.name}`, gradient)
    })
    addOutput(graph, 'logits', logits)
    addOutput(graph, 'loss', loss)
    const session = await openSession(graph)
    const pixels = uniforms(reference.images, BATCH * sizeOf(inputShape), 0, 256)
    const outputs = await session.run({
      ...Object.fromEntries(sorted.map((name, i) => [name, initial(name, reference.shapes[name]!, FIRST_TENSOR + i)])),
      x: floats(
        [BATCH, ...inputShape],
        pixels.map((pixel) => Math.floor(pixel) * Math.fround(1 / 255)),
      ),
      labels: int64s([BATCH], Array.from(uniforms(LABELS, BATCH, 0, CLASSES), Math.floor)),
    })
    await session.release()
    expect(furthest(outputs.evaluated!.data, reference.evaluated)).toBeLessThan(1e-5)
    expect(furthest(outputs.logits!.data, reference.logits)).toBeLessThan(1e-5)
    expect(Math.abs(Number(outputs.loss!.data[0]) / reference.loss - 1)).toBeLessThan(1e-5)
    for (const [name, summary] of Object.entries(reference.gradients)) {
      const data = outputs[`gradient/${name}`]!.data as Float32Array
      const error = distance(FIRST_TENSOR + sorted.indexOf(name), data, summary) / summary.norm
      expect(error, name).toBeLessThan(TOLERANCE)
    }
  }, 60_000)
})

/** Of images of 3x32x32 and ten classes, as PyTorch counts them. */
const full = { resnet20: 269_722, resnet50: 23_520_842, 'swin-t': 27_507_028, 'vgg16-bn': 15_311_818, vit: 5_362_762 }

test.each(Object.entries(full))('%s has its full size by default', (name, count) => {
  const { build, params } = definitions[name]!
  const network = networkOf([3, 32, 32], 10, (scope, x) =>
    build(scope, x, { classes: 10, normalization }, params.parse({})),
  )
  expect(parameterCount(network)).toBe(count)
  expect(featureCount(network)).toBe(network.parameters.at(-2)!.shape[1])
})

test.each([
  ['vgg16-bn', {}, "a map of 1x1 can't be halved; the images are too small"],
  ['vit', { patch: 5 }, 'patch: images of 8x8 do not divide into patches of 5x5; choose a size that divides both'],
  ['vit', { width: 9, heads: 2 }, 'heads: blocks.0.attn has 9 channels, which do not divide into 2 heads'],
  ['swin-t', { depths: [1] }, 'expected one number of heads for each of 1 depths, got 4'],
])('%s with %j says what does not fit', (name, own, message) => {
  const { build, params } = definitions[name]!
  expect(() =>
    networkOf([3, 8, 8], 10, (scope, x) => build(scope, x, { classes: 10, normalization }, params.parse(own))),
  ).toThrow(message)
})
