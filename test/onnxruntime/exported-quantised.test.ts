/** Files with weights in few bits train in float32; what is computed in few bits is refused. */
import { describe, expect, test } from 'vitest'
import { networkOfModel } from '../../runner/engine/nn/exported.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { floats, numbersOf, type Tensor, tensor } from '../../runner/engine/onnx/tensor.ts'
import { readModel } from '../support/exported-graph.ts'
import { modelFile, type NodeSource } from '../support/onnx-file.ts'
import { uniforms } from './uniform.ts'

const BATCH = 3
const images = floats([BATCH, 2, 3], uniforms(5, BATCH * 6, -1, 1))
const bias = { b: floats([4], [0.1, 0.2, -0.3, 0]) }
const bytes = (numbers: readonly number[], type: 'int8' | 'uint8' = 'int8') =>
  tensor(type, [numbers.length], type === 'int8' ? Int8Array.from(numbers) : Uint8Array.from(numbers))
const ints = (seed: number, count: number) => Int8Array.from(uniforms(seed, count, -128, 128))

const file = (nodes: readonly NodeSource[], constants: Record<string, Tensor>, opset = 21) =>
  modelFile({
    opset,
    shape: ['batch', 2, 3],
    nodes: [['Flatten', ['images'], ['flat']], ...nodes],
    constants: { ...bias, ...constants },
  })

async function answers(model: Uint8Array) {
  const original = await openSession(model)
  const { logits: expected } = await original.run({ images })
  await original.release()
  const { graph, parameters, buffers } = readModel(model, { batchSize: BATCH })
  const session = await openSession(graph)
  const values = [...parameters, ...buffers].map(([{ name }, content]) => [name, content] as const)
  const { logits } = await session.run({ ...Object.fromEntries(values), x: images })
  await session.release()
  return { own: numbersOf(logits!), expected: numbersOf(expected!) }
}

const gemm: NodeSource = ['Gemm', ['flat', 'w', 'b'], ['logits'], { transB: 1 }]
const stored = { 'w.stored': tensor('int8', [4, 6], ints(6, 24)) }

describe('weights', () => {
  test.each([
    ['with one scale', {}, { scale: floats([], [0.02]), zero: tensor('int8', [], Int8Array.of(3)) }],
    [
      'with a scale for each row',
      { axis: 0 },
      { scale: floats([4], [0.02, 0.01, 0.03, 0.5]), zero: bytes([1, -2, 3, 0]) },
    ],
    [
      'with a scale for each column',
      { axis: -1 },
      { scale: floats([6], [1, 2, 3, 4, 5, 6]), zero: bytes([0, 1, 0, 2, 0, 3]) },
    ],
    [
      'with a scale for each block',
      { axis: 1, block_size: 3 },
      { scale: floats([4, 2], uniforms(7, 8)), zero: tensor('int8', [4, 2], ints(8, 8)) },
    ],
  ])('%s', async (_, attributes, constants) => {
    const model = file([['DequantizeLinear', ['w.stored', 'scale', 'zero'], ['w'], attributes], gemm], {
      ...stored,
      ...constants,
    })
    const { own, expected } = await answers(model)
    for (const [i, logit] of own.entries()) expect(logit).toBeCloseTo(expected[i]!, 3)
    const { model: read } = networkOfModel(model)
    expect([...read.parameters.keys()]).toEqual(['w', 'b'])
    expect(read.decisions).toContain(
      'weights are stored in few bits and train in float32 (1 DequantizeLinear of weights)',
    )
  })
})

describe('what is rounded on its way', () => {
  const rounded: NodeSource[] = [
    ['QuantizeLinear', ['flat', 'step', 'zero'], ['q']],
    ['DequantizeLinear', ['q', 'step', 'zero'], ['f']],
    ['DequantizeLinear', ['w.stored', 'scale'], ['w']],
    ['Gemm', ['f', 'w', 'b'], ['logits'], { transB: 1 }],
  ]

  test('keeps its range, which can be all that is left of a Relu', async () => {
    // 0 to 255 steps: what is below 0, or above 0.51, ends there.
    const zero = tensor('uint8', [], Uint8Array.of(0))
    const model = file(rounded, { ...stored, scale: floats([], [0.01]), step: floats([], [0.002]), zero })
    const { own, expected } = await answers(model)
    // 6 products of a rounding of up to 0.001 and a weight of up to 1.28.
    for (const [i, logit] of own.entries()) expect(Math.abs(logit - expected[i]!)).toBeLessThan(6 * 0.001 * 1.28)
    expect(networkOfModel(model).model.decisions.join()).toContain(
      'the file rounds what it computes to 8 bits (1 times)',
    )
  })

  test('is refused for each channel', () => {
    const zero = bytes([0, 0, 0, 0, 0, 0])
    const model = file(rounded, {
      ...stored,
      scale: floats([], [0.01]),
      step: floats([6], Array(6).fill(1)),
      zero,
    })
    expect(() => networkOfModel(model)).toThrow(
      'with a scale for each channel, or for an op in between; export the model before it is quantised',
    )
  })
})

test.each(['ConvInteger', 'MatMulInteger', 'QLinearMatMul', 'QLinearConv', 'DynamicQuantizeLinear'])(
  '%s is refused',
  (op) => {
    const model = file([[op, ['flat', 'w'], ['logits']]], { w: floats([6, 4], uniforms(6, 24)) })
    expect(() => networkOfModel(model)).toThrow(
      `cannot use ${op} (node logits): it computes in integers, which have no gradient; export the model before it is quantised, or with QuantizeLinear`,
    )
  },
)
