/** Windows that files leave to be worked out: their values are those of explicit pads, and they train. */
import { expect, test } from 'vitest'
import { addInput, addOutput, int, ints, newGraph, string, type Value } from '../../runner/engine/onnx/graph.ts'
import { type Ops, opsFor } from '../../runner/engine/onnx/ops.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { floats, numbersOf } from '../../runner/engine/onnx/tensor.ts'
import { addOp } from '../../runner/engine/reading/add-op.ts'
import { any, apart } from './gradient-cases/case.ts'
import { gradientErrors } from './gradient-check.ts'

const line = [1, 2, 3, 4, 5, 6]
const same = { auto_pad: string('SAME_UPPER') }
const window = (kernel: number, stride: number, dilation = 1) => ({
  kernel_shape: ints([kernel]),
  strides: ints([stride]),
  dilations: ints([dilation]),
})

test.each([
  // Entries 1, 3 and 5: the pads that SAME asks for would be negative.
  ['MaxPool of windows apart', 'MaxPool', { ...window(1, 2), ...same }, [1, 3, 5]],
  ['AveragePool of windows apart', 'AveragePool', { ...window(1, 3), ...same, count_include_pad: int(1) }, [1, 4]],
  // A reach of 5 at 1, 3 and 5, with pads of 1 and 2: (., 2, 4) (2, 4, 6) (4, 6, .)
  ['MaxPool with gaps', 'MaxPool', { ...window(3, 2, 2), ...same }, [4, 6, 6]],
  ['AveragePool with gaps', 'AveragePool', { ...window(3, 2, 2), ...same }, [3, 4, 5]],
  // Windows of 2 at 1 and 4; a third would start behind the map.
  ['ceil_mode that leaves a window out', 'MaxPool', { ...window(2, 3), ceil_mode: int(1) }, [2, 5]],
  ['the same by averages', 'AveragePool', { ...window(2, 3), ceil_mode: int(1) }, [1.5, 4.5]],
  // With a pad on both sides: (., 1) (2, 3) (4, 5) (6, .)
  [
    'ceil_mode beside pads',
    'AveragePool',
    { ...window(2, 2), pads: ints([1, 1]), ceil_mode: int(1) },
    [1, 2.5, 4.5, 6],
  ],
])('%s', async (_, op, attributes, expected) => {
  const graph = newGraph()
  const ops = opsFor(graph)
  const x = addInput(graph, 'x', 'float32', [1, 1, line.length])
  const [y] = addOp(ops, op, [x], attributes, ['y']) as [Value]
  // What follows is held to the inferred shape.
  addOutput(graph, 'y', ops.Add(y, ops.constant(floats(y.shape, Array(expected.length).fill(0)))))
  const session = await openSession(graph, { threads: 1 })
  const outputs = await session.run({ x: floats([1, 1, line.length], line) })
  await session.release()
  expect(numbersOf(outputs.y!)).toEqual(expected)
  const build = (inner: Ops, x: Value | undefined) => addOp(inner, op, [x!], attributes, ['y']) as Value[]
  const { errors } = await gradientErrors([apart(2, 2, 7)], build)
  expect(errors[0]).toBeLessThan(2e-4)
})

test('Conv with gaps and auto_pad', async () => {
  const attributes = { ...same, dilations: ints([2, 3]), strides: ints([2, 1]) }
  const build = (ops: Ops, ...x: Value[]) => addOp(ops, 'Conv', x, attributes, ['y']) as Value[]
  const { errors } = await gradientErrors([any(1, 2, 7, 6), any(3, 2, 3, 2)], build)
  for (const error of errors) expect(error).toBeLessThan(2e-4)
})

test.each([
  ['MaxPool', {}],
  ['AveragePool', {}],
  ['AveragePool', { pads: ints([1, 1, 1, 1]), count_include_pad: int(1) }],
])('%s of ceil_mode that leaves a window out of one axis and completes one of the other, %j', async (op, pads) => {
  const attributes = { kernel_shape: ints([2, 3]), strides: ints([3, 2]), ceil_mode: int(1), ...pads }
  const extents = 'pads' in pads ? [8, 8] : [6, 6]
  const build = (ops: Ops, x: Value | undefined) => {
    const [y] = addOp(ops, op, [x!], attributes, ['y']) as [Value]
    return [y, ops.Exp(y)]
  }
  const input = apart(1, 2, ...extents)
  const graph = newGraph()
  const ops = opsFor(graph)
  const x = addInput(graph, 'x', 'float32', input.shape)
  const [y] = build(ops, x)
  // A third window would start at 6, or a fourth at 9; the last of the other axis goes one beyond the map and its pads.
  expect(y!.shape).toEqual('pads' in pads ? [1, 2, 3, 5] : [1, 2, 2, 3])
  addOutput(graph, 'own', y!)
  addOutput(graph, 'kernel', ops.emit(op, [x], attributes, { types: [y!] })[0])
  const session = await openSession(graph, { threads: 1 })
  const { own, kernel } = await session.run({ x: floats(input.shape, input.data) })
  await session.release()
  numbersOf(kernel!).forEach((entry, i) => {
    expect(numbersOf(own!)[i]).toBeCloseTo(entry, 5)
  })
  const { errors } = await gradientErrors([input], build)
  expect(errors[0]).toBeLessThan(2e-4)
})
