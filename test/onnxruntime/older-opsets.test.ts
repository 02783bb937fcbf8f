/** Files of opset 9 to 24 answer as onnxruntime answers that runs them as they are. */
import { describe, expect, test } from 'vitest'
import { networkOfModel } from '../../runner/engine/nn/exported.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { floats, int64s, numbersOf, type Tensor } from '../../runner/engine/onnx/tensor.ts'
import { readModel } from '../support/exported-graph.ts'
import { type ModelSource, modelFile, type NodeSource } from '../support/onnx-file.ts'
import { uniforms } from './uniform.ts'

const SHAPE = [3, 4, 6] as const
const [BATCH, SIZE] = [2, 72]
const images = () => floats([BATCH, ...SHAPE], uniforms(5, BATCH * SIZE, -1, 1))

/** Nodes between images and `y`, then a linear layer. */
interface Case {
  opset: number
  nodes: readonly NodeSource[]
  /** Extents of `y` without the batch. */
  size: number
  constants?: Record<string, Tensor>
  functions?: ModelSource['functions']
}

const source = ({ opset, nodes, size, constants = {}, functions = [] }: Case): ModelSource => ({
  opset,
  shape: ['batch', ...SHAPE],
  functions,
  nodes: [...nodes, ['Flatten', ['y'], ['flat']], ['Gemm', ['flat', 'w', 'b'], ['logits']]],
  constants: { ...constants, w: floats([size, 3], uniforms(6, 3 * size, -1, 1)), b: floats([3], [0.1, 0.2, -0.3]) },
})

async function answers(given: Case) {
  const bytes = modelFile(source(given))
  const original = await openSession(bytes)
  const { logits: expected } = await original.run({ images: images() })
  await original.release()
  const { graph, parameters, buffers } = readModel(bytes, { batchSize: BATCH })
  const session = await openSession(graph)
  const weights = [...parameters, ...buffers].map(([{ name }, content]) => [name, content] as const)
  const { logits } = await session.run({ ...Object.fromEntries(weights), x: images() })
  await session.release()
  return { own: numbersOf(logits!), expected: numbersOf(expected!), bytes }
}

const one = (op: string, size: number, attributes: NodeSource[3] = {}, inputs: string[] = []): Omit<Case, 'opset'> => ({
  nodes: [[op, ['images', ...inputs], ['y'], attributes]],
  size,
})
const after = (nodes: NodeSource[], size: number, constants: Record<string, Tensor> = {}): Omit<Case, 'opset'> => ({
  ...{ nodes, size, constants },
})

const scales = (...factors: number[]) => ({ scales: floats([4], [1, 1, ...factors]) })
const vector = (...numbers: number[]) => int64s([numbers.length], numbers)

const cases: Record<string, Case> = {
  'Slice with attributes': {
    opset: 9,
    ...one('Slice', 27, { starts: [0, 1, 1], ends: [3, 2 ** 63, 4], axes: [1, 2, 3] }),
  },
  'Slice without axes': { opset: 9, ...one('Slice', 54, { starts: [0, 0, -3], ends: [9, 3, 9] }) },
  'Clip with attributes': { opset: 10, ...one('Clip', SIZE, { min: { float: -0.25 }, max: { float: 0.5 } }) },
  'Clip from below only': { opset: 9, ...one('Clip', SIZE, { min: { float: 0.1 } }) },
  'Clip from above only': { opset: 9, ...one('Clip', SIZE, { max: { float: 0.1 } }) },
  'Pad with attributes': { opset: 10, ...one('Pad', 162, { pads: [0, 0, 1, 2, 0, 0, 1, 1], value: { float: 0.5 } }) },
  'Pad that reflects': { opset: 9, ...one('Pad', 120, { pads: [0, 0, 0, 2, 0, 0, 1, 0], mode: 'reflect' }) },
  'Upsample to the nearest': {
    opset: 9,
    ...one('Upsample', 288, { mode: 'nearest' }, ['scales']),
    constants: scales(2, 2),
  },
  'Upsample, linear': { opset: 9, ...one('Upsample', 288, { mode: 'linear' }, ['scales']), constants: scales(2, 2) },
  'Resize of opset 10 to the nearest': {
    opset: 10,
    ...one('Resize', 162, {}, ['scales']),
    constants: scales(1.5, 1.5),
  },
  'Resize of opset 10 that shrinks': { opset: 10, ...one('Resize', 27, {}, ['scales']), constants: scales(0.75, 0.6) },
  'Resize of opset 10, linear': {
    opset: 10,
    ...one('Resize', 288, { mode: 'linear' }, ['scales']),
    constants: scales(2, 2),
  },
  'Resize of opset 11 to sizes': {
    opset: 11,
    ...one('Resize', 288, { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' }, [
      'none',
      'none',
      'sizes',
    ]),
    constants: { none: floats([0], []), sizes: vector(2, 3, 8, 12) },
  },
  'Dropout with a ratio': { opset: 11, ...one('Dropout', SIZE, { ratio: { float: 0.5 } }) },
  'Squeeze and Unsqueeze with attributes': {
    opset: 11,
    ...after(
      [
        ['Unsqueeze', ['images'], ['u'], { axes: [1, 4] }],
        ['Squeeze', ['u'], ['y'], { axes: [4] }],
      ],
      SIZE,
    ),
  },
  'Split with lengths': {
    opset: 12,
    ...after(
      [
        ['Split', ['images'], ['a', 'c'], { axis: 1, split: [1, 2] }],
        ['Concat', ['c', 'a'], ['y'], { axis: 1 }],
      ],
      SIZE,
    ),
  },
  'Split into equal parts': {
    opset: 11,
    ...after(
      [
        ['Split', ['images'], ['a', 'c'], { axis: 2 }],
        ['Sub', ['c', 'a'], ['y']],
      ],
      SIZE / 2,
    ),
  },
  'TopK with an attribute': {
    opset: 9,
    ...after([['TopK', ['images'], ['y', 'indices'], { k: 2, axis: 3 }]], 24),
  },
  'Softmax over the rest': { opset: 12, ...one('Softmax', SIZE) },
  'Softmax over the rest, from a later axis': { opset: 11, ...one('Softmax', SIZE, { axis: 2 }) },
  'Softmax over the last axis': { opset: 9, ...one('Softmax', SIZE, { axis: -1 }) },
  'LogSoftmax over the rest': { opset: 12, ...one('LogSoftmax', SIZE, { axis: 1 }) },
  'Softmax of opset 13': { opset: 13, ...one('Softmax', SIZE, { axis: 1 }) },
  Scatter: {
    opset: 10,
    ...after([['Scatter', ['images', 'at', 'by'], ['y'], { axis: 3 }]], SIZE, {
      at: int64s(
        [2, 3, 4, 1],
        Array.from({ length: 24 }, (_, i) => i % 6),
      ),
      by: floats([2, 3, 4, 1], uniforms(7, 24)),
    }),
  },
  'batch norm': {
    opset: 9,
    ...one('BatchNormalization', SIZE, { epsilon: { float: 1e-3 } }, ['scale', 'bias', 'mean', 'variance']),
    constants: {
      scale: floats([3], [1, 2, 0.5]),
      bias: floats([3], [0, 0.1, 0.2]),
      mean: floats([3], [0, 0.3, -0.2]),
      variance: floats([3], [1, 0.5, 2]),
    },
  },
  ...Object.fromEntries(
    ['L1', 'L2', 'LogSumExp', 'Max', 'Mean', 'Min', 'Sum', 'SumSquare'].map((name) => [
      `Reduce${name} with attributes`,
      { opset: 11, ...one(`Reduce${name}`, 12, { axes: [-1], keepdims: 0 }) },
    ]),
  ),
  'ReduceSum of opset 12': { opset: 12, ...one('ReduceSum', 3, { axes: [2, 3] }) },
  'ReduceMean of opset 17': { opset: 17, ...one('ReduceMean', 3, { axes: [2, 3] }) },
  'pooling of opset 22': { opset: 22, ...one('AveragePool', 18, { kernel_shape: [2, 2], strides: [2, 2] }) },
  'GlobalAveragePool of opset 22': { opset: 22, ...one('GlobalAveragePool', 3) },
  'HardSwish of opset 22': { opset: 22, ...one('HardSwish', SIZE) },
  'Reshape of opset 23': {
    opset: 23,
    ...after([['Reshape', ['images', 'shape'], ['y']]], SIZE, { shape: vector(0, -1) }),
  },
  'Unsqueeze of opset 24': {
    opset: 24,
    ...after([['Unsqueeze', ['images', 'axes'], ['y']]], SIZE, { axes: vector(1) }),
  },
}

describe('as onnxruntime:', () => {
  test.each(Object.entries(cases))('%s', async (_, given) => {
    const { own, expected, bytes } = await answers(given)
    for (const [i, logit] of own.entries()) expect(logit).toBeCloseTo(expected[i]!, 5)
    networkOfModel(bytes)
  })
})
