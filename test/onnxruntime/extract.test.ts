/** Features of classifiers: what their last linear layer sees. */
import { describe, expect, test } from 'vitest'
import { openMetricTools } from '../../runner/engine/metric-tools.ts'
import { extract, featureCount } from '../../runner/engine/nn/extract.ts'
import { initialState } from '../../runner/engine/nn/initial-state.ts'
import type { ModelDefinition } from '../../runner/engine/nn/model.ts'
import * as models from '../../runner/engine/nn/models/index.ts'
import { networkOf } from '../../runner/engine/nn/network.ts'
import { floats, type Tensor } from '../../runner/engine/onnx/tensor.ts'
import { classifierExtractor, inceptionExtractor, lookAt } from '../../runner/tasks/generation/extractor.ts'
import { uniforms } from './uniform.ts'

const CLASSES = 5
const normalization = { mean: [0.3, 0.4, 0.5], std: [0.2, 0.2, 0.3] }
const images = Uint8Array.from(uniforms(500, 7 * 3 * 16 * 16, 0, 256))
const options = { images, threads: 1, signal: new AbortController().signal, onProgress: () => {} }

/** Of those that four channels alone don't make small. */
const small: Record<string, object> = { vit: { heads: 2, depth: 1 }, 'swin-t': { depths: [2, 1], heads: [2, 4] } }
const networkFrom = ({ build, params }: ModelDefinition, own: object = {}) =>
  networkOf([3, 16, 16], CLASSES, (scope, x) =>
    build(scope, x, { classes: CLASSES, normalization }, params.parse({ width: 4, ...own })),
  )

describe.each(Object.entries(models))('%s', (id, definition) => {
  const network = networkFrom(definition, small[id])
  const state = initialState(network, 1)
  // A model ends in a linear layer: its weight [classes, features], then its bias.
  const last = network.parameters.slice(-2)
  const size = last[0]!.shape[1]!

  test('has features from which its last layer makes the logits', async () => {
    const { features, logits } = await extract({ ...options, network, state })
    expect([featureCount(network), features.length, logits.length]).toEqual([size, 7 * size, 7 * CLASSES])
    const [weight, bias] = last.map(({ name }) => state.get(name)!.data as Float32Array)
    for (let i = 0; i < logits.length; i++) {
      const [image, label] = [Math.floor(i / CLASSES), i % CLASSES]
      let logit = bias![label]!
      for (let k = 0; k < size; k++) logit += features[image * size + k]! * weight![label * size + k]!
      expect(Math.abs(logit - logits[i]!)).toBeLessThan(1e-5)
    }
    expect(new Set(features).size).toBeGreaterThan(7)
  })

  test('has the same features whatever the batch, the last and smaller one included', async () => {
    const whole = await extract({ ...options, network, state })
    const parts: number[] = []
    const onProgress = ({ done }: { done: number }) => parts.push(done)
    const cut = await extract({ ...options, network, state, batch: 3, onProgress })
    expect(parts.at(-1)).toBe(7)
    cut.features.forEach((value, i) => {
      expect(Math.abs(value - whole.features[i]!)).toBeLessThan(1e-5)
    })
  })
})

test('orders for metrics are the same each time, and another for each purpose and call', async () => {
  const { shuffles, release } = openMetricTools()
  const [first, again, other] = ['kid', 'kid', 'fid-infinity'].map(shuffles)
  const order = first!(50)
  expect([...order].sort((a, b) => a - b)).toEqual([...Array(50).keys()])
  expect(again!(50)).toEqual(order)
  expect(first!(50)).not.toEqual(order)
  expect(other!(50)).not.toEqual(order)
  await release()
})

test('a stop is obeyed', async () => {
  const network = networkFrom(models.resnet18)
  const stopped = AbortSignal.abort(new Error('stopped'))
  await expect(extract({ ...options, network, state: initialState(network, 1), signal: stopped })).rejects.toThrow(
    'stopped',
  )
})

test('a network that does not end in a linear layer has no features', () => {
  const network = networkOf([3, 1, 1], 3, ({ ops }, x) => ops.Relu(ops.Reshape(x, [x.shape[0]!, 3])))
  expect(() => featureCount(network)).toThrow(
    'features need a network that ends in a linear layer; this one ends in Relu',
  )
})

test('a bias that is added apart is no obstacle', () => {
  const network = networkOf([3, 1, 1], 4, ({ ops, parameter }, x) => {
    const zero: (shape: readonly number[]) => Float32Array = (shape) => new Float32Array(shape.reduce((a, b) => a * b))
    const weight = parameter('weight', [3, 4], (_, shape) => zero(shape))
    const bias = parameter('bias', [4], (_, shape) => zero(shape))
    return ops.Add(bias, ops.MatMul(ops.Reshape(x, [x.shape[0]!, 3]), weight))
  })
  expect(featureCount(network)).toBe(3)
})

describe('extractors', () => {
  test('a classifier is named by its model and key, and its scores are its logits', async () => {
    const network = networkFrom(models.resnet18)
    const extractor = classifierExtractor({ model: 'resnet18', key: 'k', network, state: initialState(network, 1) })
    expect(extractor).toMatchObject({ id: 'resnet18-features', weights: 'k', preprocessing: 'none', dimension: 32 })
    const { features, logits, scores } = await lookAt(extractor, options)
    expect([features.length, scores]).toEqual([7 * 32, logits])
  })

  test("Inception-v3's scores are its logits without the bias", async () => {
    const { parameters, buffers } = inceptionExtractor({ inputShape: [1, 8, 8], state: biasOnly(), sha256: '' }).network
    const state = new Map<string, Tensor>([...parameters, ...buffers].map(({ name, shape }) => [name, zero(shape)]))
    state.set('fc.bias', biasOnly().get('fc.bias')!)
    const extractor = inceptionExtractor({ inputShape: [1, 8, 8], state, sha256: 'h' })
    expect(extractor).toMatchObject({
      id: 'inception-v3-pool3',
      weights: 'h',
      preprocessing: 'bilinear-299',
      dimension: 2048,
    })
    const { logits, scores } = await lookAt(extractor, { ...options, images: images.subarray(0, 64) })
    expect([logits[5], logits.length]).toEqual([5, 1008]) // all weights are 0, so that only the bias is left
    expect(scores.every((score) => score === 0)).toBe(true)
  })
})

const zero = (shape: readonly number[]) => floats(shape, new Float32Array(shape.reduce((a, b) => a * b, 1)))
const biasOnly = () =>
  new Map([
    [
      'fc.bias',
      floats(
        [1008],
        Float32Array.from({ length: 1008 }, (_, i) => i),
      ),
    ],
  ])
