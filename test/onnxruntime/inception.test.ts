/** FID's Inception-v3 against the same network in PyTorch (test/golden/inception/make.py). */
import { expect, test } from 'vitest'
import { extract, featureCount } from '../../runner/engine/nn/extract.ts'
import { inceptionV3, preprocess } from '../../runner/engine/nn/extractors/inception-v3.ts'
import { parameterCount } from '../../runner/engine/nn/network.ts'
import { addInput, addOutput, newGraph } from '../../runner/engine/onnx/graph.ts'
import { opsFor } from '../../runner/engine/onnx/ops.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { floats, sizeOf, type Tensor } from '../../runner/engine/onnx/tensor.ts'
import { floatsOf, goldenJson } from '../runner/golden.ts'
import { sketch, uniformAt, uniforms } from './uniform.ts'

interface Case {
  shape: [number, number, number]
  features: string
  logits: { norm: number; sketch: number[] }
  resized: string
}
interface Reference {
  step: number
  parameters: number
  shapes: Record<string, number[]>
  cases: Case[]
}
const reference: Reference = goldenJson('inception/reference.json')
/** Streams of the shared generator; tensor number i in the order of names has stream FIRST_TENSOR + i. */
const [FIRST_TENSOR, IMAGES, LOGITS] = [1000, 900, 990]
const networks = reference.cases.map(({ shape }) => inceptionV3(shape))

function weight(name: string, shape: readonly number[], stream: number): Tensor {
  const bounds: Record<string, [number, number]> = {
    running_mean: [-0.1, 0.1],
    running_var: [0.5, 1.5],
    bias: [-0.1, 0.1],
  }
  const bound = Math.sqrt(6 / sizeOf(shape.slice(1)))
  const [low, high] = shape.length > 1 ? [-bound, bound] : (bounds[name.split('.').at(-1)!] ?? [0.8, 1.2])
  return floats(shape, uniforms(stream, sizeOf(shape), low, high))
}

/** Waves with noise. */
function imageOf(index: number, [channels, height, width]: Case['shape']): Uint8Array {
  return Uint8Array.from({ length: channels * height * width }, (_, i) => {
    const [c, h, w] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width]
    return Math.floor(((h * (3 + index) + w * (5 - index) + c * 40) % 192) + uniformAt(IMAGES + index, i) * 64)
  })
}

const norm = (values: ArrayLike<number>) => Math.sqrt(Array.from(values).reduce((sum, value) => sum + value ** 2, 0))
const difference = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a, (value, i) => value - b[i]!)

test('it has the parameters and buffers of the published weights', () => {
  const network = networks[0]!
  // 21,785,568 as everywhere, without the auxiliary head, and 2,049 for each of 1,008 classes.
  expect(parameterCount(network)).toBe(21_785_568 + 2049 * 1008)
  expect(parameterCount(network)).toBe(reference.parameters)
  const shapes = [...network.parameters, ...network.buffers].map(({ name, shape }) => [name, [...shape]])
  expect(Object.fromEntries(shapes)).toEqual(reference.shapes)
  expect(featureCount(network)).toBe(2048)
})

test('images are resized as PyTorch does', async () => {
  for (const [index, { shape, resized }] of reference.cases.entries()) {
    const graph = newGraph()
    addOutput(graph, 'resized', preprocess(opsFor(graph), addInput(graph, 'x', 'float32', [1, ...shape])))
    const session = await openSession(graph, { threads: 2 })
    const x = floats(
      [1, ...shape],
      Float32Array.from(imageOf(index, shape), (byte) => byte / 255),
    )
    const { data } = (await session.run({ x })).resized!
    await session.release()
    const kept = (data as Float32Array).filter((_, i) => i % reference.step === 0)
    const worst = difference(kept, floatsOf(resized)).reduce((most, off) => Math.max(most, Math.abs(off)), 0)
    expect(worst, `${shape}`).toBeLessThan(1e-4)
  }
})

test('pool3 features and logits agree with PyTorch', async () => {
  const state = new Map(
    Object.entries(reference.shapes).map(([name, shape], i) => [name, weight(name, shape, FIRST_TENSOR + i)]),
  )
  for (const [index, { shape, features, logits }] of reference.cases.entries()) {
    const found = await extract({
      network: networks[index]!,
      state,
      images: imageOf(index, shape),
      threads: 2,
      signal: new AbortController().signal,
      onProgress: () => {},
    })
    const expected = floatsOf(features)
    const off = difference(found.features, expected)
    const [relative, worst] = [norm(off) / norm(expected), Math.max(...off.map(Math.abs)) / Math.max(...expected)]
    expect(relative, `${shape}`).toBeLessThan(1e-4)
    expect(worst, `${shape}`).toBeLessThan(1e-4)
    const projections = difference(sketch(LOGITS, found.logits), logits.sketch)
    expect(norm(projections) / Math.sqrt(projections.length) / logits.norm, `${shape}`).toBeLessThan(1e-4)
  }
})

test('images that are neither grey nor in colour are refused', () => {
  expect(() => inceptionV3([4, 8, 8])).toThrow('expected images of 1 or 3 channels, got 4')
})
