/** Shape arithmetic that is folded while a graph is built gives what onnxruntime computes. */
import { expect, test } from 'vitest'
import { fold } from '../../runner/engine/onnx/fold.ts'
import { addOutput, newGraph } from '../../runner/engine/onnx/graph.ts'
import { type AttributeInput, opsFor } from '../../runner/engine/onnx/ops.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { floats, int64s, numbersOf, type Tensor, tensor } from '../../runner/engine/onnx/tensor.ts'

const whole = (...numbers: number[]) => int64s([numbers.length], numbers)
const one = (number: number) => int64s([], [number])
const flags = (...numbers: number[]) => tensor('bool', [numbers.length], Uint8Array.from(numbers))

const cases: [op: string, inputs: Tensor[], attributes?: Record<string, AttributeInput>][] = [
  ['Cast', [floats([3], [1.7, -1.7, 0])], { to: 7 }],
  ['Cast', [whole(2, 0, -1)], { to: 9 }],
  ['Add', [int64s([2, 1], [1, 2]), whole(10, 20, 30)]],
  ['Sub', [whole(5, 6), one(2)]],
  ['Mul', [floats([2], [0.5, 2]), floats([1], [3])]],
  ['Div', [whole(7, -7, 8), one(2)]],
  ['Div', [floats([], [1]), floats([2], [4, 8])]],
  ['Pow', [floats([2], [4, 9]), floats([], [0.5])]],
  ['Mod', [whole(7, -7), one(3)]],
  ['Max', [whole(1, 5), whole(3, 2)]],
  ['Min', [whole(1, 5), whole(3, 2)]],
  ['Neg', [whole(1, -2)]],
  ['Abs', [whole(1, -2)]],
  ['Floor', [floats([2], [1.5, -1.5])]],
  ['Ceil', [floats([2], [1.5, -1.5])]],
  ['Sqrt', [floats([2], [4, 9])]],
  ['Reciprocal', [floats([2], [4, 8])]],
  ['Not', [flags(0, 1)]],
  ['And', [flags(0, 1, 1), flags(1, 1, 0)]],
  ['Or', [flags(0, 1, 0), flags(1, 1, 0)]],
  ['Equal', [whole(1, 2), whole(1, 3)]],
  ['Less', [whole(1, 2), one(2)]],
  ['LessOrEqual', [whole(1, 2), one(1)]],
  ['Greater', [whole(1, 2), one(1)]],
  ['GreaterOrEqual', [whole(1, 2), one(2)]],
  ['Where', [flags(1, 0), whole(1, 2), whole(3, 4)]],
  ['ReduceProd', [whole(2, 3, 4)], { keepdims: 0 }],
  ['ReduceProd', [int64s([1, 2], [3, 4])]],
  ['Gather', [whole(4, 5, 6), one(-1)]],
  ['Gather', [int64s([2, 2], [1, 2, 3, 4]), whole(1, 0, 1)]],
  ['Slice', [whole(1, 2, 3, 4), whole(1), whole(2 ** 62)]],
  ['Slice', [whole(1, 2, 3, 4), whole(-3), whole(-1), whole(0)]],
  ['Concat', [whole(1), whole(2, 3)], { axis: 0 }],
  ['Squeeze', [int64s([1, 1], [5]), whole(0)]],
  ['Unsqueeze', [whole(1, 2), whole(0, -1)]],
  ['Reshape', [whole(1, 2, 3, 4), whole(2, -1)]],
  ['Expand', [one(3), whole(2, 2)]],
  ['ConstantOfShape', [whole(2, 3)]],
  ['ConstantOfShape', [whole(2)], { value: { kind: 'tensor', value: whole(7) } }],
  ['Range', [one(1), one(8), one(3)]],
]

test.each(cases)('%s', async (op, inputs, attributes = {}) => {
  const graph = newGraph()
  const ops = opsFor(graph)
  const values = inputs.map((input) => ops.constant(input))
  const sketch = newGraph()
  opsFor(sketch).emit(op, values, attributes, { types: [{ type: 'int64', shape: [] }] })
  const folded = fold(sketch.nodes[0]!, inputs)!
  addOutput(graph, 'y', ops.emit(op, values, attributes, { types: [folded] })[0]!)
  const session = await openSession(graph, { threads: 1 })
  const { y } = await session.run({})
  await session.release()
  expect(numbersOf(folded)).toEqual(numbersOf(y!))
  expect([folded.type, [...folded.shape]]).toEqual([y!.type, [...y!.shape]])
})
