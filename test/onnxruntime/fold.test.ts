/** Shape arithmetic that is folded while a graph is built gives what onnxruntime computes. */
import { describe, expect, test } from 'vitest'
import { fold } from '../../runner/engine/folding/fold.ts'
import * as rules from '../../runner/engine/folding/index.ts'
import { LARGEST } from '../../runner/engine/folding/rule.ts'
import * as shapeRules from '../../runner/engine/folding/shape.ts'
import { addOutput, newGraph } from '../../runner/engine/onnx/graph.ts'
import { type AttributeInput, opsFor } from '../../runner/engine/onnx/ops.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { floats, int64s, sizeOf, type Tensor, tensor } from '../../runner/engine/onnx/tensor.ts'
import { cases, type FoldCase } from './fold-cases.ts'

/** The node alone, as a reader of files sketches it. */
function sketchOf([op, inputs, attributes = {}]: FoldCase) {
  const sketch = newGraph()
  const ops = opsFor(sketch)
  const values = inputs.map((input) => input && ops.constant(input))
  ops.emit(op, values, attributes, { types: [{ type: 'int64', shape: [] }] })
  return { ...sketch.nodes[0]!, outputs: [] }
}

const folded = (given: FoldCase): Tensor[] | undefined =>
  fold(
    sketchOf(given),
    given[1].map((input) => input ?? undefined),
  )

test.each(cases)('%s', async (...given) => {
  const [op, inputs, attributes = {}] = given
  const results = folded(given)!
  expect(results, `${op} is folded`).toBeDefined()
  const graph = newGraph()
  const ops = opsFor(graph)
  const values = inputs.map((input) => input && ops.constant(input))
  ops
    .emit(op, values, attributes, { types: results.map(({ type, shape }) => ({ type, shape })) })
    .forEach((value, i) => {
      addOutput(graph, `y${i}`, value)
    })
  const session = await openSession(graph, { threads: 1 })
  const outputs = await session.run({})
  await session.release()
  results.forEach((result, i) => {
    const expected = outputs[`y${i}`]!
    expect([result.type, [...result.shape]]).toEqual([expected.type, [...expected.shape]])
    expect([...result.data]).toEqual([...expected.data])
  })
})

test('sums and products of integers are exact, where those of onnxruntime go through doubles', () => {
  const large = 2n ** 53n + 1n
  const of = (...entries: bigint[]) => tensor('int64', [entries.length], BigInt64Array.from(entries))
  expect(folded(['ReduceSum', [of(large, 1n)]])).toEqual([{ ...of(large + 1n), shape: [1] }])
  expect(folded(['ReduceProd', [of(large, 3n)]])).toEqual([{ ...of(large * 3n), shape: [1] }])
})

test('every rule has a case', () => {
  const tested = new Set(cases.map(([op]) => op))
  expect([...Object.keys(rules), ...Object.keys(shapeRules)].filter((op) => !tested.has(op))).toEqual([])
})

describe('a node stays in the graph', () => {
  const big = int64s([1], [2 ** 40])
  test.each<[string, FoldCase]>([
    ['for more entries than are folded', ['ConstantOfShape', [int64s([1], [LARGEST + 1])]]],
    ['for a shape that no memory holds', ['ConstantOfShape', [int64s([3], [2 ** 40, 2 ** 40, 2 ** 40])]]],
    ['for copies that no memory holds', ['Expand', [int64s([], [1]), big]]],
    ['for repeats that no memory holds', ['Tile', [int64s([1], [1]), big]]],
    ['for a range that no memory holds', ['Range', [int64s([], [0]), int64s([], [2 ** 62]), int64s([], [1])]]],
    ['for a range that never ends', ['Range', [int64s([], [0]), int64s([], [5]), int64s([], [0])]]],
    ['for pads that no memory holds', ['Pad', [int64s([1], [1]), int64s([2], [2 ** 50, 0])]]],
    ['for lanes of nothing that no memory holds', ['ReduceSum', [int64s([0, 2 ** 31], []), int64s([1], [0])]]],
    ['for indices of nothing that no memory holds', ['GatherND', [int64s([2], [1, 2]), int64s([2 ** 31, 0], [])]]],
    ['for more parts than entries', ['Split', [int64s([2], [1, 2])], { num_outputs: 2 ** 31 }]],
    ['for parts that are not the whole', ['Split', [int64s([2], [1, 2]), int64s([2], [1, 2])]]],
    ['where it leaves out an axis with entries', ['Squeeze', [int64s([2], [1, 2]), int64s([1], [0])]]],
    ['where it divides integers by zero', ['Div', [int64s([], [1]), int64s([], [0])]]],
    ['where an index is out of range', ['Gather', [int64s([2], [1, 2]), int64s([], [2])]]],
    ['where its inputs do not broadcast', ['Add', [int64s([2], [1, 2]), int64s([3], [1, 2, 3])]]],
  ])('%s', (_, given) => {
    expect(folded(given)).toBeUndefined()
  })

  test('where an input is not known', () => {
    const given: FoldCase = ['Add', [floats([1], [1]), floats([1], [2])]]
    expect(fold(sketchOf(given), [given[1][0]!, undefined])).toBeUndefined()
    expect(fold(sketchOf(given), [given[1][0]!, { type: 'float32', shape: [1] }])).toBeUndefined()
  })
})

test('shapes are known and nothing else is folded, when a model has asked for too much', () => {
  const given: FoldCase = ['Add', [int64s([2], [1, 2]), int64s([2], [3, 4])]]
  const inputs = given[1].map((input) => input ?? undefined)
  const budget = { entries: 7 }
  expect(fold(sketchOf(given), inputs, budget)).toEqual([int64s([2], [4, 6])])
  expect(fold(sketchOf(given), inputs, budget)).toEqual([int64s([2], [4, 6])])
  expect(fold(sketchOf(given), inputs, budget)).toBeUndefined()
  expect(fold(sketchOf(['Shape', [int64s([2], [1, 2])]]), inputs, budget)).toEqual([int64s([1], [2])])
})

test('a shape is known of what has no content', () => {
  const images = { type: 'float32', shape: [2, 3, 8, 8] } as const
  const of = (op: string, attributes: Record<string, AttributeInput> = {}) =>
    fold(sketchOf([op, [floats([1], [0])], attributes]), [images])![0]
  expect(of('Shape')).toEqual(int64s([4], [2, 3, 8, 8]))
  expect(of('Shape', { start: -2, end: 100 })).toEqual(int64s([2], [8, 8]))
  expect(of('Size')).toEqual(int64s([], [sizeOf(images.shape)]))
})

test('a mask of the largest size is folded in reasonable time', () => {
  const side = Math.sqrt(LARGEST)
  const column = int64s(
    [side, 1],
    Array.from({ length: side }, (_, i) => i),
  )
  const row = { ...column, shape: [1, side] }
  const started = performance.now()
  const [distance] = folded(['Sub', [column, row]])!
  const [mask] = folded(['Where', [tensor('bool', [1], Uint8Array.of(1)), distance!, row]])!
  expect(mask!.data.length).toBe(LARGEST)
  expect(performance.now() - started).toBeLessThan(2000)
})
