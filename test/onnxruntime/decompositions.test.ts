/** Ops that are written as others: their gradients against central differences, and their values against onnxruntime's own
 *  kernels. A new decomposition needs a case in decomposition-cases/. */
import { describe, expect, test } from 'vitest'
import { addInput, addOutput, newGraph, type Value } from '../../runner/engine/onnx/graph.ts'
import { type Ops, opsFor } from '../../runner/engine/onnx/ops.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { numbersOf, tensor } from '../../runner/engine/onnx/tensor.ts'
import { addOp, decomposed } from '../../runner/engine/reading/add-op.ts'
import { type Case, cases } from './decomposition-cases/index.ts'
import { type Build, gradientErrors } from './gradient-check.ts'

/** All inputs of a case, of which `x` are those that are not constants. */
function given(ops: Ops, { inputs, settings = [] }: Case, x: readonly Value[]): (Value | null)[] {
  const rest = [...x]
  const own = inputs.map((input) => (input ? rest.shift()! : null))
  return [...own, ...settings.map((setting) => setting && ops.constant(setting))]
}

const built =
  (op: string, own: Case): Build =>
  (ops, ...x) => {
    const { attributes = {}, outputs = 1 } = own
    const names = Array.from({ length: outputs }, (_, i) => `y${i}`)
    return addOp(ops, op, given(ops, own, x), attributes, names).filter((value) => value !== null)
  }

const rows = Object.entries(cases).flatMap(([op, list]) =>
  list.map((own) => ({ op, title: own.title, own, inputs: own.inputs.filter((input) => input !== null) })),
)
const TOLERANCE = { float64: 5e-6, float32: 2e-4 }

describe('a gradient agrees with central differences', () => {
  test.each(rows)('$op $title', async ({ op, inputs, own }) => {
    const { type, errors } = await gradientErrors(inputs, built(op, own))
    for (const error of errors) expect(error).toBeLessThan(TOLERANCE[type])
  })
})

describe("values are those of onnxruntime's kernel", () => {
  test.each(rows.filter(({ own }) => own.kernel))('$op $title', async ({ op, inputs, own }) => {
    const graph = newGraph()
    const ops = opsFor(graph)
    const x = inputs.map(({ shape }, i): Value => addInput(graph, `x${i}`, 'float32', shape))
    const written = [built(op, own)(ops, ...x)].flat()
    const kernel = ops.emit(op, given(ops, own, x), own.attributes, { types: written })
    written.forEach((value, i) => {
      addOutput(graph, `written${i}`, value)
      addOutput(graph, `kernel${i}`, kernel[i]!)
    })
    const session = await openSession(graph, { threads: 1 })
    const feeds = inputs.map(({ shape, data }, i) => [`x${i}`, tensor('float32', shape, data)])
    const results = await session.run(Object.fromEntries(feeds))
    await session.release()
    written.forEach((_, i) => {
      const [own, expected] = [results[`written${i}`]!, results[`kernel${i}`]!]
      expect(own.shape).toEqual(expected.shape)
      numbersOf(own).forEach((entry, at) => {
        expect(entry).toBeCloseTo(numbersOf(expected)[at]!, 5)
      })
    })
  })
})

test('every decomposition has a case', () => {
  const untested = Object.keys(decomposed).filter((op) => !cases[op]?.length)
  expect(untested).toEqual([])
})

describe('what is not supported is said with what to do:', () => {
  const sequence = [
    [3, 1, 2],
    [1, 8, 2],
    [1, 8, 2],
  ]
  const refusals: [string, string, number[][], Case['attributes'], string][] = [
    [
      'an unknown activation',
      'LSTM',
      sequence,
      { activations: { kind: 'strings', value: ['Affine', 'Tanh', 'Tanh'] } },
      'LSTM with the activation Affine is not supported; expected one of Sigmoid, Tanh',
    ],
    [
      'a table that no file needs to be large for',
      'Attention',
      [
        [1, 1, 2 ** 20, 2],
        [1, 1, 2 ** 20, 2],
        [1, 1, 2 ** 20, 2],
      ],
      { is_causal: { kind: 'int', value: 1 } },
      'Attention would be written with a table of 1099511627776 numbers; expected at most 4194304',
    ],
    [
      'a long sequence',
      'LSTM',
      [[2000, 1, 2], ...sequence.slice(1)],
      {},
      'LSTM over 2000 steps is not supported; expected at most 256',
    ],
  ]
  test.each(refusals)('%s', (_, op, shapes, attributes, message) => {
    const graph = newGraph()
    const x = shapes.map((shape, i) => addInput(graph, `x${i}`, 'float32', shape))
    expect(() => addOp(opsFor(graph), op, x, attributes ?? {}, ['y'])).toThrow(message)
  })
})
