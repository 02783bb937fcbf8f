/** Every gradient rule against central differences, and the errors of the walk. A new rule needs a case in gradient-cases/. */
import { describe, expect, test } from 'vitest'
import { differentiate } from '../../runner/engine/autodiff/differentiate.ts'
import * as gradients from '../../runner/engine/autodiff/gradients/index.ts'
import { stopGradient } from '../../runner/engine/onnx/functions.ts'
import { addInput, addOutput, newGraph, type Value } from '../../runner/engine/onnx/graph.ts'
import { type Ops, opsFor } from '../../runner/engine/onnx/ops.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { numbersOf, sizeOf, tensor } from '../../runner/engine/onnx/tensor.ts'
import { any, flag, indices, numbers } from './gradient-cases/case.ts'
import { cases } from './gradient-cases/index.ts'
import { type Build, gradientErrors, type Input } from './gradient-check.ts'

/** Of the directional derivatives, relative: single-precision gradients against double-precision differences, and
 *  against single-precision differences where onnxruntime has no double kernel. */
const TOLERANCE = { float64: 5e-6, float32: 2e-4 }

describe('a gradient agrees with central differences', () => {
  const rows = Object.entries(cases).flatMap(([op, list]) =>
    list.map(([title, inputs, build, forward]) => ({ op, title, inputs, build, forward })),
  )
  test.each(rows)('$op $title', async ({ inputs, build, forward }) => {
    const { type, errors } = await gradientErrors(inputs, build, forward)
    for (const error of errors) expect(error).toBeLessThan(TOLERANCE[type])
  })
})

test('every rule has a case', () => {
  const untested = Object.keys(gradients).filter((op) => !cases[op]?.length)
  expect(untested).toEqual([])
})

test('an op without a rule is named with its node', () => {
  const graph = newGraph()
  const x = addInput(graph, 'x', 'float32', [2])
  const ops = opsFor(graph)
  const [y] = ops.emit('Det', [x], {}, { types: [{ type: 'float32', shape: [2] }] })
  expect(() => differentiate(graph, ops.ReduceSum(y!, [0], 0), [x])).toThrow(
    `no gradient for Det (node ${y!.name}); export Det from runner/engine/autodiff/gradients/`,
  )
})

test('an op with too few inputs is named where it is added', () => {
  const graph = newGraph()
  const x = addInput(graph, 'x', 'float32', [2, 2])
  expect(() => opsFor(graph).emit('MatMul', [x])).toThrow(
    'MatMul (node without output): expected at least 2 inputs, got 1',
  )
})

test('a value that the loss does not depend on is named', () => {
  const graph = newGraph()
  const x = addInput(graph, 'x', 'float32', [2])
  const unused = addInput(graph, 'unused', 'float32', [2])
  expect(() => differentiate(graph, opsFor(graph).ReduceSum(x, [0], 0), [unused])).toThrow('unused')
})

test('a value that reaches the loss through a stop alone is named', () => {
  const graph = newGraph()
  const x = addInput(graph, 'x', 'float32', [2])
  const ops = opsFor(graph)
  const loss = ops.ReduceSum(stopGradient(ops, ops.Exp(x)), [0], 0)
  expect(() => differentiate(graph, loss, [x])).toThrow('does not depend on x')
})

/** Gradient of sum(build(x) * [1, 2, 3, ...]) for the one input x. */
async function gradientOf({ shape, data }: Input, build: (ops: Ops, x: Value) => Value): Promise<number[]> {
  const graph = newGraph()
  const ops = opsFor(graph)
  const x = addInput(graph, 'x', 'float32', shape)
  const y = build(ops, x)
  const size = sizeOf(y.shape)
  const weights = numbers(
    ops,
    y,
    y.shape,
    Array.from({ length: size }, (_, i) => i + 1),
  )
  const loss = ops.ReduceSum(ops.Reshape(ops.Mul(y, weights), [size]), [0], 0)
  addOutput(graph, 'dx', differentiate(graph, loss, [x])[0]!)
  const session = await openSession(graph, { threads: 1 })
  const { dx } = await session.run({ x: tensor('float32', shape, data) })
  await session.release()
  return numbersOf(dx!)
}
const row = (...entries: number[]): Input => ({ shape: [1, 1, entries.length], data: Float32Array.from(entries) })

describe('a tie', () => {
  test('in a MaxPool window goes to the first of the largest', async () => {
    const windows = (ops: Ops, x: Value) =>
      ops.emit('MaxPool', [x], { kernel_shape: [3], strides: [1], pads: [1, 1] })[0]!
    // windows: (1 1) (1 1 1) (1 1 0) (1 0 0) (0 0), of weight 1 to 5
    expect(await gradientOf(row(1, 1, 1, 0, 0), windows)).toEqual([1 + 2, 3, 4, 5, 0])
  })
  test('in GlobalMaxPool goes to the first of the largest', async () => {
    expect(await gradientOf(row(0, 2, 2, 1), (ops, x) => ops.emit('GlobalMaxPool', [x])[0]!)).toEqual([0, 1, 0, 0])
  })
  test('in ReduceMax is shared', async () => {
    expect(await gradientOf(row(2, 0, 2, 1), (ops, x) => ops.ReduceMax(x, [2]))).toEqual([0.5, 0, 0.5, 0])
  })
  test('between the inputs of Max is shared', async () => {
    expect(await gradientOf(row(2, 0, 1), (ops, x) => ops.Max(x, 1))).toEqual([1, 0, 3 / 2])
  })
})

test('ReduceL2 of a zero vector has the gradient zero', async () => {
  expect(await gradientOf(row(0, 0), (ops, x) => ops.emit('ReduceL2', [x, ops.list([2])])[0]!)).toEqual([0, 0])
})

describe('a power', () => {
  const power =
    (exponent: number): Build =>
    (ops, x) =>
      ops.Pow(x!, exponent)
  test('of a learned 0 by a list has the gradients of PyTorch', async () => {
    // 0^0, 0^1, 0^2, (-2)^0, (-2)^3: p x^(p - 1) with weights 1 to 5
    const build = (ops: Ops, x: Value) => ops.Pow(x, numbers(ops, x, [1, 1, 5], [0, 1, 2, 0, 3]))
    expect(await gradientOf(row(0, 0, 0, -2, -2), build)).toEqual([0, 2, 0, 0, 5 * 3 * 4])
  })
  test.each([
    [0, [0, 0, 0]],
    [1, [1, 2, 3]],
    [2, [0, -8, 12]],
    [3, [0, 24, 36]],
  ])('by %s', async (exponent, expected) => {
    const dx = await gradientOf(row(0, -2, 2), (ops, x) => [power(exponent)(ops, x)].flat()[0]!)
    expect(dx.map((entry) => entry + 0)).toEqual(expected)
  })
  test('of 0 does not change with its exponent, unless that is negative', async () => {
    const build = (ops: Ops, p: Value) => ops.Pow(numbers(ops, p, [1, 1, 3], [0, 0, 2]), p)
    // d(b^p)/dp = b^p log b
    const [zero, half, two] = await gradientOf(row(0, 0.5, 2), build)
    expect([zero, half]).toEqual([0, 0])
    expect(two).toBeCloseTo(3 * 4 * Math.log(2), 5)
  })
})

test('ReduceProd of zeros has the products of the others', async () => {
  const product = (ops: Ops, x: Value) => ops.emit('ReduceProd', [x, ops.list([2])])[0]
  expect(await gradientOf(row(2, 0, 3), product)).toEqual([0, 6, 0])
  expect(await gradientOf(row(2, 0, 0), product)).toEqual([0, 0, 0])
})

test('what is multiplied into a tensor by index takes the product of the others, zeros included', async () => {
  const into = (ops: Ops, x: Value) => {
    const ones = numbers(ops, x, [1, 1, 2], [5, 7])
    return ops.ScatterElements(ones, indices(ops, [1, 1, 4], [0, 0, 1, 1]), x, 2, 'mul')
  }
  // 5 * 0 * 3 and 7 * 2 * 4, of weights 1 and 2
  expect(await gradientOf(row(0, 3, 2, 4), into)).toEqual([15, 0, 2 * 28, 2 * 14])
})

test('Dropout in training passes gradients where its mask passed entries', async () => {
  const ones = row(...Array(200).fill(1))
  const shape = ones.shape
  const graph = newGraph()
  const ops = opsFor(graph)
  const x = addInput(graph, 'x', 'float32', shape)
  const [y] = ops.emit('Dropout', [x, ops.scalar('float32', 0.25), flag(ops, [], [1])], { seed: 7 }, { outputs: 2 })
  const loss = ops.ReduceSum(y!, [0, 1, 2], 0)
  addOutput(graph, 'y', y!)
  addOutput(graph, 'dx', differentiate(graph, loss, [x])[0]!)
  const session = await openSession(graph, { threads: 1 })
  const outputs = await session.run({ x: tensor('float32', shape, ones.data) })
  await session.release()
  // y = x * mask / 0.75, and x is 1
  expect(numbersOf(outputs.dx!)).toEqual(numbersOf(outputs.y!))
  expect(new Set(numbersOf(outputs.dx!))).toEqual(new Set([0, Math.fround(1 / 0.75)]))
})

describe('a variant without a gradient is named:', () => {
  const refusals: [string, Input, Build][] = [
    ['Dropout', any(1, 1, 4), (ops, x) => ops.emit('Dropout', [x!, ops.scalar('float32', 0.5), flag(ops, [], [1])])],
  ]
  test.each(refusals)('%s', async (op, input, build) => {
    await expect(gradientOf(input, (ops, x) => [build(ops, x)].flat()[0]!)).rejects.toThrow(
      `no gradient for ${op} (node ${op}.`,
    )
  })
})
