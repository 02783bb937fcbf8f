/** The language of losses: what each operation gives and its slope, what is made of weights, numbers and gradients, what is refused. */
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { differentiate } from '../../runner/engine/autodiff/differentiate.ts'
import { addInput, addOutput, newGraph, type Value } from '../../runner/engine/onnx/graph.ts'
import { opsFor } from '../../runner/engine/onnx/ops.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { floats, int64s, numbersOf, type Tensor } from '../../runner/engine/onnx/tensor.ts'
import { build, buildPack, buildScalar, type Known } from '../../runner/engine/training/compile.ts'
import {
  type Expr,
  type ExprNode,
  nodesOf,
  type Operations,
  type Recording,
  record,
} from '../../runner/science/expression.ts'
import type { Kept, OptimizerOptions } from '../../runner/science/method.ts'
import { type ClassifierTerm, fitLabels } from '../../runner/science/tasks/classification/vocabulary.ts'
import { flatten } from '../../runner/science/weights.ts'
import { interpret, type Plain, type PlainValue, scalar } from '../support/interpreter.ts'
import { range, tinyNetwork, toyTrainer } from '../support/toy.ts'

/** What the losses of this file look at: two tensors, labels, all weights and weights that were kept. */
interface Seen {
  a: Expr
  b: Expr
  labels: Expr
  weights: Expr
  kept: Expr
}
type Build = (values: Seen & Operations) => Expr
const recordedBy = (of: Build): Recording =>
  record<Seen>(of, (push) => ({
    a: push('a', []),
    b: push('b', []),
    labels: push('labels', []),
    weights: push('weights', []),
    kept: push('kept', []),
  }))

const LABELS = [2, 0]
const NUMBERS: Record<string, number> = { two: 2, k: 3 }
/** Names of tensors; weights are a vector and a matrix. */
const SHAPES = { a: [2, 3], b: [2, 3], w0: [2], w1: [2, 2], k0: [2], k1: [2, 2] }
type Name = keyof typeof SHAPES
type Point = Record<Name, number[]>
const names = Object.keys(SHAPES) as Name[]

const hand: Point = {
  a: [1, -2, 0.5, 3, 0, -1],
  b: [2, -2, 0.25, 1, 4, 2],
  w0: [1, -2],
  w1: [3, 0, -1, 0.5],
  k0: [0, -2],
  k1: [1, 0.5, -1, 0.25],
}

function plainly(of: Build, point: Point): PlainValue {
  const at = (name: Name): Plain => ({ shape: SHAPES[name], data: point[name] })
  return interpret(recordedBy(of), ({ op, with: { name } }) => {
    switch (op) {
      case 'labels':
        return { shape: [2], data: LABELS }
      case 'weights':
        return [at('w0'), at('w1')]
      case 'kept':
        return [at('k0'), at('k1')]
      case 'number':
        return scalar(NUMBERS[name as string]!)
      case 'own':
        return scalar(2)
      default:
        return at(op as Name)
    }
  })
}
const flat = (value: PlainValue): number[] => [value].flat().flatMap(({ data }: Plain) => data)

/** What the engine makes of it: the value, and the slopes of Σ c_i value_i for every tensor. */
async function compiled(of: Build, point: Point, weigh?: readonly number[]) {
  const recording = recordedBy(of)
  const graph = newGraph()
  const ops = opsFor(graph)
  const inputs = Object.fromEntries(
    names.map((name) => [name, addInput(graph, name, 'float32', SHAPES[name])]),
  ) as Record<Name, Value>
  const labels = addInput(graph, 'labels', 'int64', [2])
  const known: Known = ({ op, with: { name, whole } }) => {
    switch (op) {
      case 'labels':
        return labels
      case 'weights':
        return [inputs.w0, inputs.w1]
      case 'kept':
        return [inputs.k0, inputs.k1]
      case 'number':
        return ops.scalar(whole ? 'int64' : 'float32', NUMBERS[name as string]!)
      case 'own':
        return ops.scalar('float32', 2)
      default:
        return inputs[op as Name] ?? null
    }
  }
  const parts = [build(ops, recording, known)].flat() as Value[]
  const vector = ops.Concat(
    parts.map((part) => ops.Reshape(ops.Cast(part, 'float32'), [part.shape.reduce((x, y) => x * y, 1)])),
    0,
  )
  addOutput(graph, 'value', ops.Identity(vector))
  if (weigh) {
    // A slope of 0 for whatever is not reached.
    const all = names.map((name) =>
      ops.ReduceSum(
        ops.Mul(inputs[name], 0),
        SHAPES[name].map((_, axis) => axis),
        0,
      ),
    )
    const loss = ops.ReduceSum(ops.Mul(vector, ops.constant(floats([weigh.length], [...weigh]))), [0], 0)
    const wrt = names.map((name) => inputs[name])
    differentiate(
      graph,
      all.reduce((sum, none) => ops.Add(sum, none), loss),
      wrt,
    ).forEach((slope, i) => {
      addOutput(graph, `slope ${names[i]}`, slope)
    })
  }
  const session = await openSession(graph, { threads: 1 })
  const feeds: Record<string, Tensor> = { labels: int64s([2], LABELS) }
  for (const name of names) feeds[name] = floats(SHAPES[name], point[name])
  const outputs = await session.run(feeds)
  await session.release()
  return {
    value: numbersOf(outputs.value!),
    shape: parts.map(({ shape }) => shape),
    slopes: weigh ? names.flatMap((name) => numbersOf(outputs[`slope ${name}`]!)) : [],
  }
}

/** Σ c_i value_i a little further along each number, over a little back: in double precision. */
function differences(of: Build, point: Point, weigh: readonly number[]): number[] {
  const step = 1e-5
  const weighed = (at: Point) => flat(plainly(of, at)).reduce((sum, value, i) => sum + weigh[i]! * value, 0)
  return names.flatMap((name) =>
    point[name].map((value, i) => {
      const moved = (by: number): Point => ({ ...point, [name]: point[name].with(i, value + by) })
      return (weighed(moved(step)) - weighed(moved(-step))) / (2 * step)
    }),
  )
}

function near(found: readonly number[], expected: readonly number[], tolerance = 1e-5) {
  expect(found).toHaveLength(expected.length)
  const size = Math.max(1, ...expected.map(Math.abs))
  found.forEach((value, i) => {
    if (Number.isFinite(expected[i])) expect(Math.abs(value - expected[i]!) / size).toBeLessThan(tolerance)
    else expect(value).toBe(expected[i])
  })
}

interface Case {
  of: Build
  /** At the numbers of `hand`. */
  gives: number[]
  /** Where its slope is checked, in place of a point off every kink; null where it has none. */
  at?: Partial<Point> | null
}

const e = Math.E
/** log Σ exp of the rows of a. */
const lse = [Math.log(e + e ** -2 + e ** 0.5), Math.log(e ** 3 + 1 + e ** -1)] as const
const positive = { a: [0.3, 1.7, 0.9, 2.2, 0.4, 1.1] }
const weigh = [0.7, -1.3, 0.4, 1.9, -0.6, 1.1, 0.3, -0.8]
/** Numbers off kinks and ties. */
const smooth: Point = {
  a: [0.31, -1.27, 0.83, 1.71, -0.64, 0.22],
  b: [1.13, 0.57, -0.91, 0.38, 1.49, -1.66],
  w0: [0.9, -1.4],
  w1: [0.45, 1.3, -0.7, 0.2],
  k0: [0.1, 0.6],
  k1: [-1.2, 0.8, 0.3, -0.5],
}

/** By operation. */
const cases: Record<keyof Operations, Case[]> = {
  add: [
    { of: ({ a, b, add }) => add(a, b), gives: [3, -4, 0.75, 4, 4, 1] },
    { of: ({ a, add }) => add(1, a), gives: [2, -1, 1.5, 4, 1, 0] },
    { of: ({ a, b, add, sum }) => add(a, sum(b, 0)), gives: [4, 0, 2.75, 6, 2, 1.25] },
    { of: ({ labels, add }) => add(labels, 0.5), gives: [2.5, 0.5] },
    { of: ({ weights, kept, add }) => add(weights, kept), gives: [1, -4, 4, 0.5, -2, 0.75] },
  ],
  subtract: [
    { of: ({ a, b, subtract }) => subtract(a, b), gives: [-1, 0, 0.25, 2, -4, -3] },
    {
      of: ({ weights, subtract, mean }) => subtract(weights, mean(weights)),
      gives: [0.75, -2.25, 2.75, -0.25, -1.25, 0.25],
    },
  ],
  multiply: [
    { of: ({ a, b, multiply }) => multiply(a, b), gives: [2, 4, 0.125, 3, 0, -2] },
    { of: ({ weights, multiply }) => multiply(weights, -2), gives: [-2, 4, -6, 0, 2, -1] },
    { of: ({ a, labels, multiply, sum }) => multiply(sum(a, 1), labels), gives: [-1, 0] },
  ],
  divide: [
    { of: ({ a, b, divide }) => divide(a, b), gives: [0.5, 1, 2, 3, 0, -0.5] },
    { of: ({ labels, divide }) => divide(labels, 4), gives: [0.5, 0] },
  ],
  power: [
    { of: ({ a, power }) => power(a, 3), gives: [1, -8, 0.125, 27, 0, -1] },
    { of: ({ b, power, abs }) => power(abs(b), 0.5), gives: [2, 2, 0.25, 1, 4, 2].map(Math.sqrt) },
    { of: ({ weights, power }) => power(weights, 2), gives: [1, 4, 9, 0, 1, 0.25] },
  ],
  maximum: [
    { of: ({ a, b, maximum }) => maximum(a, b), gives: [2, -2, 0.5, 3, 4, 2] },
    { of: ({ weights, kept, maximum }) => maximum(weights, kept), gives: [1, -2, 3, 0.5, -1, 0.5] },
  ],
  minimum: [
    { of: ({ a, b, minimum }) => minimum(a, b), gives: [1, -2, 0.25, 1, 0, -1] },
    { of: ({ a, minimum }) => minimum(a, 0), gives: [0, -2, 0, 0, 0, -1] },
  ],
  negate: [{ of: ({ a, negate }) => negate(a), gives: [-1, 2, -0.5, -3, 0, 1] }],
  abs: [
    { of: ({ a, abs }) => abs(a), gives: [1, 2, 0.5, 3, 0, 1] },
    { of: ({ weights, abs }) => abs(weights), gives: [1, 2, 3, 0, 1, 0.5] },
  ],
  sign: [{ of: ({ a, sign }) => sign(a), gives: [1, -1, 1, 1, 0, -1], at: null }],
  round: [{ of: ({ a, round, multiply }) => round(multiply(a, 1.5)), gives: [2, -3, 1, 4, 0, -2], at: null }],
  square: [{ of: ({ a, square }) => square(a), gives: [1, 4, 0.25, 9, 0, 1] }],
  sqrt: [{ of: ({ b, sqrt, abs }) => sqrt(abs(b)), gives: [2, 2, 0.25, 1, 4, 2].map(Math.sqrt) }],
  exp: [{ of: ({ a, exp }) => exp(a), gives: [e, e ** -2, e ** 0.5, e ** 3, 1, e ** -1] }],
  log: [{ of: ({ b, abs, log }) => log(abs(b)), gives: [2, 2, 0.25, 1, 4, 2].map(Math.log), at: positive }],
  relu: [{ of: ({ a, relu }) => relu(a), gives: [1, 0, 0.5, 3, 0, 0] }],
  sigmoid: [{ of: ({ a, sigmoid }) => sigmoid(a), gives: [1, -2, 0.5, 3, 0, -1].map((x) => 1 / (1 + e ** -x)) }],
  softplus: [{ of: ({ a, softplus }) => softplus(a), gives: [1, -2, 0.5, 3, 0, -1].map((x) => Math.log(1 + e ** x)) }],
  tanh: [
    { of: ({ a, tanh }) => tanh(a), gives: [1, -2, 0.5, 3, 0, -1].map((x) => (e ** x - e ** -x) / (e ** x + e ** -x)) },
  ],
  clip: [
    { of: ({ a, clip }) => clip(a, -1, 0.75), gives: [0.75, -1, 0.5, 0.75, 0, -1] },
    { of: ({ weights, clip }) => clip(weights, -1, 1), gives: [1, -1, 1, 0, -1, 0.5] },
  ],
  greater: [
    { of: ({ a, b, greater }) => greater(a, b), gives: [0, 0, 1, 1, 0, 0], at: null },
    { of: ({ labels, greater }) => greater(labels, 1), gives: [1, 0], at: null },
    { of: ({ weights, kept, greater }) => greater(weights, kept), gives: [1, 0, 1, 0, 0, 1], at: null },
  ],
  where: [
    { of: ({ a, b, greater, where }) => where(greater(a, 0.25), a, b), gives: [1, -2, 0.5, 3, 4, 2] },
    { of: ({ a, b, where }) => where(a, b, 7), gives: [2, -2, 0.25, 1, 7, 2] },
    { of: ({ labels, where }) => where(labels, labels, 9), gives: [2, 9] },
    // A choice between labels is a label.
    { of: ({ a, labels, pick, where }) => pick(a, where(labels, labels, labels)), gives: [0.5, 3] },
    {
      of: ({ weights, kept, greater, where }) => where(greater(weights, kept), 1, kept),
      gives: [1, -2, 1, 0.5, -1, 1],
    },
  ],
  sum: [
    { of: ({ a, sum }) => sum(a), gives: [1.5] },
    { of: ({ a, sum }) => sum(a, 0), gives: [4, -2, -0.5] },
    { of: ({ a, sum }) => sum(a, 1), gives: [-0.5, 2] },
    { of: ({ labels, sum }) => sum(labels), gives: [2] },
    { of: ({ weights, sum }) => sum(weights), gives: [1.5] },
    { of: ({ a, sum }) => sum(sum(a)), gives: [1.5] },
  ],
  mean: [
    { of: ({ a, mean }) => mean(a), gives: [0.25] },
    { of: ({ a, mean }) => mean(a, 1), gives: [-0.5 / 3, 2 / 3] },
    { of: ({ labels, mean }) => mean(labels), gives: [1] },
    { of: ({ weights, mean }) => mean(weights), gives: [0.25] },
  ],
  norm: [
    { of: ({ a, norm }) => norm(a), gives: [Math.sqrt(1 + 4 + 0.25 + 9 + 1)] },
    { of: ({ weights, norm }) => norm(weights), gives: [Math.sqrt(1 + 4 + 9 + 1 + 0.25)] },
    { of: ({ a, norm, sum }) => norm(sum(a)), gives: [1.5] },
    { of: ({ a, norm, sum, negate }) => norm(negate(sum(a))), gives: [1.5] },
  ],
  dot: [
    { of: ({ a, b, dot }) => dot(a, b), gives: [2 + 4 + 0.125 + 3 + 0 - 2] },
    { of: ({ weights, kept, dot }) => dot(weights, kept), gives: [0 + 4 + 3 + 0 + 1 + 0.125] },
  ],
  softmax: [
    {
      of: ({ a, softmax }) => softmax(a),
      gives: [1, -2, 0.5, 3, 0, -1].map((x, i) => Math.exp(x - lse[i < 3 ? 0 : 1])),
    },
  ],
  logSoftmax: [
    { of: ({ a, logSoftmax }) => logSoftmax(a), gives: [1, -2, 0.5, 3, 0, -1].map((x, i) => x - lse[i < 3 ? 0 : 1]) },
  ],
  logSumExp: [{ of: ({ a, logSumExp }) => logSumExp(a), gives: [...lse] }],
  pick: [{ of: ({ a, labels, pick }) => pick(a, labels), gives: [0.5, 3] }],
  argMax: [
    { of: ({ a, argMax }) => argMax(a), gives: [0, 0], at: null },
    // A choice is a label; of equal entries the first is taken.
    { of: ({ a, b, pick, argMax }) => pick(a, argMax(b)), gives: [1, 0] },
    { of: ({ a, multiply, argMax }) => argMax(multiply(a, 0)), gives: [0, 0], at: null },
  ],
  oneHot: [{ of: ({ labels, oneHot }) => oneHot(labels, 4), gives: [0, 0, 1, 0, 1, 0, 0, 0], at: null }],
  crossEntropy: [
    { of: ({ a, labels, crossEntropy }) => crossEntropy(a, labels), gives: [(lse[0] - 0.5 + lse[1] - 3) / 2] },
  ],
  squaredError: [
    // 1 + 0 + 1/16 + 4 + 16 + 9
    { of: ({ a, b, squaredError }) => squaredError(a, b, 'sum'), gives: [30.0625 / 2] },
    { of: ({ a, b, squaredError }) => squaredError(a, b, 'mean'), gives: [30.0625 / 6] },
  ],
  stop: [
    { of: ({ a, stop }) => stop(a), gives: [1, -2, 0.5, 3, 0, -1], at: null },
    { of: ({ weights, stop }) => stop(weights), gives: [1, -2, 3, 0, -1, 0.5], at: null },
  ],
  gradient: [
    { of: ({ a, sum, square, gradient }) => gradient(sum(square(a)), a), gives: [2, -4, 1, 6, 0, -2], at: {} },
    { of: ({ a, b, dot, gradient }) => gradient(dot(a, b), a), gives: [2, -2, 0.25, 1, 4, 2], at: {} },
  ],
  number: [{ of: ({ a, multiply, number }) => multiply(a, number('two')), gives: [2, -4, 1, 6, 0, -2] }],
  own: [{ of: ({ a, multiply, own }) => multiply(a, own('factor')), gives: [2, -4, 1, 6, 0, -2] }],
  shrinkChanges: [
    {
      // Changes 1, 0, 2, -0.5, 0 and 0.25: the third smallest is 0.25.
      of: ({ weights, kept, number, shrinkChanges }) => shrinkChanges(weights, kept, number('k')),
      gives: [0.75, -2, 2.75, 0.25, -1, 0.25],
      at: null,
    },
  ],
}

test('every operation of the language has its case, and every case is of one', () => {
  let operations: string[] = []
  recordedBy((values) => {
    const { a, b, labels, weights, kept, ...rest } = values
    operations = Object.keys(rest)
    return a
  })
  expect(Object.keys(cases).toSorted()).toEqual(operations.toSorted())
})

describe.each(Object.entries(cases))('%s', (op, list) => {
  test.each(list.map((one, i) => [i, one] as const))('case %i', async (_, { of, gives, at = {} }) => {
    expect(nodesOf(recordedBy(of), op).length + Number(op === 'number')).toBeGreaterThan(0)
    near((await compiled(of, hand)).value, gives)
    // The interpreter can't differentiate; what it knows is held to the same numbers.
    const differentiates = op !== 'gradient'
    if (differentiates) near(flat(plainly(of, hand)), gives)
    const point = { ...smooth, ...at }
    const { value, slopes } = await compiled(of, point, weigh.slice(0, gives.length))
    expect(value).toHaveLength(gives.length)
    if (at === null) expect(slopes.every((slope) => slope === 0)).toBe(true)
    else if (differentiates) near(slopes, differences(of, point, weigh.slice(0, gives.length)), 1e-4)
  })
})

test('shapes are those of NumPy', async () => {
  const shapeOf = async (of: Build) => (await compiled(of, hand)).shape
  expect(await shapeOf(({ a, sum, add }) => add(a, sum(a, 0)))).toEqual([[2, 3]])
  expect(await shapeOf(({ a, sum }) => sum(a, 1))).toEqual([[2]])
  expect(await shapeOf(({ a, mean }) => mean(a))).toEqual([[]])
  expect(await shapeOf(({ weights, square }) => square(weights))).toEqual([[2], [2, 2]])
})

test('the gradient of a gradient is that of the second order where it is not stopped', async () => {
  // |∇ Σ a³|² = Σ 9 a⁴, whose slope is 36 a³.
  const of: Build = ({ a, sum, power, square, gradient }) => sum(square(gradient(sum(power(a, 3)), a)))
  const point = { ...smooth, ...positive }
  const { value, slopes } = await compiled(of, point, [1])
  near(value, [point.a.reduce((total, x) => total + 9 * x ** 4, 0)])
  near(
    slopes.slice(0, 6),
    point.a.map((x) => 36 * x ** 3),
  )
  const stopped: Build = ({ a, sum, power, square, gradient, stop }) => sum(square(stop(gradient(sum(power(a, 3)), a))))
  expect((await compiled(stopped, point, [1])).slopes.every((slope) => slope === 0)).toBe(true)
})

test('a norm of nothing has the slope 0', async () => {
  const of: Build = ({ weights, norm, subtract }) => norm(subtract(weights, weights))
  const { value, slopes } = await compiled(of, smooth, [1])
  expect(value).toEqual([0])
  expect(slopes.every((slope) => slope === 0)).toBe(true)
})

type Values = Seen & Operations
type Tree = (values: Values) => Expr
/** Continuous functions of bounded numbers, so that single precision can be held against double. */
const trees: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree; leaf: Tree }>((tie) => {
  const bounded =
    (tree: Tree): Tree =>
    (values) =>
      values.clip(tree(values), -8, 8)
  const one = (make: (values: Values, x: Expr) => Expr) =>
    tie('tree').map((x): Tree => bounded((values) => make(values, x(values))))
  const two = (make: (values: Values, x: Expr, y: Expr) => Expr) =>
    fc.tuple(tie('tree'), tie('tree')).map(([x, y]): Tree => bounded((values) => make(values, x(values), y(values))))
  return {
    leaf: fc.oneof(
      fc.constant<Tree>(({ a }) => a),
      fc.constant<Tree>(({ b }) => b),
      fc
        .constant<Tree>(({ labels }) => labels)
        .map(
          (labels): Tree =>
            (values) =>
              values.sum(labels(values)),
        ),
      fc.constant<Tree>(({ number }) => number('two')),
      fc.double({ min: -2, max: 2, noNaN: true }).map(
        (c): Tree =>
          ({ a, multiply }) =>
            multiply(a, c),
      ),
    ),
    tree: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      tie('leaf'),
      one((v, x) => v.negate(x)),
      one((v, x) => v.abs(x)),
      one((v, x) => v.square(x)),
      one((v, x) => v.relu(x)),
      one((v, x) => v.sigmoid(x)),
      one((v, x) => v.softplus(x)),
      one((v, x) => v.tanh(x)),
      one((v, x) => v.exp(v.minimum(x, 2))),
      one((v, x) => v.log(v.add(v.abs(x), 0.5))),
      one((v, x) => v.sqrt(v.add(v.square(x), 0.1))),
      one((v, x) => v.power(v.add(v.abs(x), 0.2), 1.5)),
      one((v, x) => v.mean(x)),
      one((v, x) => v.norm(x)),
      one((v, x) => v.sum(v.add(x, v.multiply(v.a, 0)), 0)),
      one((v, x) => v.softmax(v.add(x, v.multiply(v.a, 0)))),
      one((v, x) => v.crossEntropy(v.add(x, v.multiply(v.a, 0)), v.labels)),
      two((v, x, y) => v.add(x, y)),
      two((v, x, y) => v.subtract(x, y)),
      two((v, x, y) => v.multiply(x, y)),
      two((v, x, y) => v.divide(x, v.add(v.square(y), 1))),
      two((v, x, y) => v.maximum(x, y)),
      two((v, x, y) => v.minimum(x, y)),
      two((v, x, y) => v.where(v.greater(x, y), x, y)),
      two((v, x, y) => v.dot(x, y)),
      two((v, x, y) => v.squaredError(v.add(x, v.multiply(v.a, 0)), v.add(y, v.multiply(v.a, 0)), 'sum')),
    ),
  }
}).tree

test('random expressions come to what they mean, and so do their slopes', async () => {
  await fc.assert(
    fc.asyncProperty(trees, async (tree) => {
      const count = flat(plainly(tree, smooth)).length
      const { value, slopes } = await compiled(tree, smooth, weigh.slice(0, count))
      near(value, flat(plainly(tree, smooth)), 1e-4)
      near(slopes, differences(tree, smooth, weigh.slice(0, count)), 2e-3)
    }),
    { numRuns: 80, seed: 20240229 },
  )
})

describe('recordings', () => {
  const loss: Build = ({ a, b, labels, add, multiply, crossEntropy, sum }) =>
    add(crossEntropy(a, labels), multiply(0.5, sum(multiply(a, b))))

  test('of one loss are equal data, whatever they were recorded by, and hold no step twice', () => {
    expect(JSON.stringify(recordedBy(loss))).toBe(JSON.stringify(recordedBy(loss)))
    expect(JSON.parse(JSON.stringify(recordedBy(loss)))).toEqual(recordedBy(loss))
    const twice = recordedBy(({ a, b, add, multiply }) => add(multiply(a, b), multiply(a, b)))
    expect(nodesOf(twice, 'multiply')).toHaveLength(1)
    expect(JSON.stringify(recordedBy(({ a, add }) => add(a, 1)))).not.toBe(
      JSON.stringify(recordedBy(({ a, add }) => add(a, 2))),
    )
  })

  test('refuse what no loss can be made of', () => {
    let elsewhere: Expr | undefined
    recordedBy(({ a, exp }) => {
      elsewhere = exp(a)
      return elsewhere
    })
    expect(() => recordedBy(({ a, add }) => add(a, elsewhere!))).toThrow(
      'add: expected a number or a value of this loss as argument 2, got a value of another loss; values can’t be taken from one loss to another'.replace(
        '’',
        "'",
      ),
    )
    expect(() => recordedBy(() => elsewhere!)).toThrow(
      'a loss must give one of the values that it made, got a value of another loss',
    )
    expect(() => recordedBy(() => 3 as unknown as Expr)).toThrow(
      'a loss must give one of the values that it made, got 3',
    )
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => recordedBy(({ a, multiply }) => multiply(a, wrong))).toThrow(
        `multiply: expected a finite number, got ${wrong}`,
      )
      expect(() => recordedBy(({ a, power }) => power(a, wrong))).toThrow(
        `power: expected a finite number, got ${wrong}`,
      )
      expect(() => recordedBy(({ a, clip }) => clip(a, 0, wrong))).toThrow(
        `clip: expected a finite number, got ${wrong}`,
      )
    }
    expect(() => recordedBy(({ number }) => number('two words'))).toThrow('number: expected a name, got "two words"')
    const undefinedOperand = undefined as unknown as Expr
    expect(() => recordedBy(({ a, add }) => add(a, undefinedOperand))).toThrow('as argument 2, got undefined')
  })
})

describe('what the engine refuses', () => {
  const ops = () => opsFor(newGraph())
  const known: Known = ({ op }) => {
    const pack = [2, 3].map((size): Value => ({ name: `w${size}`, type: 'float32', shape: [size] }))
    return op === 'weights' || op === 'kept' ? pack : op === 'a' ? { name: 'a', type: 'float32', shape: [2, 3] } : null
  }
  const building = (of: Build) => () => build(ops(), recordedBy(of), known)

  test('a loss that is no number', () => {
    const scalarOf = (of: Build) => () => buildScalar(ops(), recordedBy(of), known)
    expect(scalarOf(({ a }) => a)).toThrow('expected one number, got a tensor of shape [2,3]; take its mean or its sum')
    expect(scalarOf(({ weights }) => weights)).toThrow('expected one number, got values of all weights; sum them')
    expect(() =>
      buildPack(
        ops(),
        recordedBy(({ a }) => a),
        known,
      ),
    ).toThrow('expected values of all weights, got one tensor')
  })

  test('weights where a tensor is wanted, and the other way round', () => {
    expect(building(({ weights, softmax }) => softmax(weights))).toThrow('softmax: expected a tensor, got all weights')
    expect(building(({ weights, sum }) => sum(weights, 0))).toThrow('sum: expected a tensor, got all weights')
    expect(building(({ weights, a, add }) => add(weights, a))).toThrow(
      'add: expected a number beside all weights, got a tensor of shape [2,3]',
    )
    expect(building(({ weights, a, dot }) => dot(weights, a))).toThrow('dot: expected two tensors or all weights twice')
    expect(building(({ a, kept, number, shrinkChanges }) => shrinkChanges(a, kept, number('k')))).toThrow(
      'shrinkChanges: expected all weights, those they are measured from and number(name)',
    )
    expect(building(({ weights, kept, sum, shrinkChanges }) => shrinkChanges(weights, kept, sum(weights)))).toThrow(
      'shrinkChanges',
    )
    expect(building(({ a, gradient }) => gradient(a, a))).toThrow(
      'gradient: expected one number, got a tensor of shape [2,3]',
    )
  })

  test('operations that nobody knows, and nodes in an order that can’t be', () => {
    const node = (op: string, args: number[]): ExprNode => ({ op, args, with: {} })
    expect(() => build(ops(), { nodes: [node('magic', [])], output: 0 }, known)).toThrow('magic is not known here')
    expect(() => build(ops(), { nodes: [node('exp', [0])], output: 0 }, known)).toThrow(
      'exp: expected arguments before 0, got 0',
    )
    expect(() => build(ops(), { nodes: [node('exp', [1]), node('a', [])], output: 0 }, known)).toThrow(
      'exp: expected arguments before 0, got 1',
    )
    expect(() => build(ops(), { nodes: [node('a', [])], output: 4 }, known)).toThrow('expected a node before 1, got 4')
  })
})

/** A tiny classifier whose answers don't depend on the batch. */
const opened = () => {
  const trainer = toyTrainer({ network: tinyNetwork })
  onTestFinished(() => trainer.release())
  return trainer
}
const on = { items: range(0, 12), batchSize: 12 }
const fitting: ClassifierTerm = {
  on,
  loss: ({ logitsOf, labels, crossEntropy }) => crossEntropy(logitsOf({ evaluation: true }), labels),
}
const plain = { learningRate: 0.1, momentum: 0, weightDecay: 0 }

describe('in a trainer', () => {
  test('images moved along the sign of their gradient are answered worse', async () => {
    const trainer = opened()
    await trainer.sgd({ ...plain, momentum: 0.9 }).descend([fitLabels(range(0, 90), { batchSize: 10 })], { passes: 4 })
    const losses = (by: number) =>
      trainer.evaluate(on, (values) => {
        const { images, labels, logits, logitsOf, ...ops } = values
        const { add, multiply, sign, clip, stop, gradient, crossEntropy, negate, pick, logSoftmax } = ops
        const along = stop(gradient(crossEntropy(logits, labels), images))
        const moved = clip(add(images, multiply(by, sign(along))), 0, 1)
        return negate(pick(logSoftmax(logitsOf({ images: moved })), labels))
      })
    const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value) / values.length
    const [still, up, down] = [mean(await losses(0)), mean(await losses(0.03)), mean(await losses(-0.03))]
    expect(up).toBeGreaterThan(still + 0.01)
    expect(down).toBeLessThan(still - 0.01)
  })

  test('a method that trains on such images learns to withstand them', async () => {
    const adversarial: ClassifierTerm = {
      on,
      loss(values) {
        const { images, labels, logits, logitsOf, add, multiply, sign, stop, gradient, crossEntropy } = values
        const along = stop(sign(gradient(crossEntropy(logits, labels), images)))
        return crossEntropy(logitsOf({ images: add(images, multiply(0.1, along)) }), labels)
      },
    }
    const trainer = opened()
    const optimizer = trainer.sgd(plain)
    const first = await optimizer.descend([adversarial], { steps: 1 })
    await optimizer.descend([adversarial], { steps: 30 })
    expect(await optimizer.descend([adversarial], { steps: 1 })).toBeLessThan(first / 2)
  })

  test('a loss of features alone leaves the last layer as it is', async () => {
    const trainer = opened()
    const before = await trainer.read()
    const far: ClassifierTerm = {
      on,
      loss: ({ featuresOf, mean, square }) => mean(square(featuresOf({ evaluation: true }))),
    }
    const first = await trainer.sgd(plain).descend([far], { steps: 1 })
    expect(await trainer.sgd(plain).descend([far], { steps: 1 })).toBeLessThan(first)
    for (const [name, values] of await trainer.read()) {
      if (name.startsWith('fc.')) expect(values, name).toEqual(before.get(name))
    }
    expect((await trainer.gradient(far)).get('fc.weight')!.every((slope) => slope === 0)).toBe(true)
    expect(Math.hypot(...flatten(await trainer.gradient(far)))).toBeGreaterThan(0)
  })

  test('equal losses are compiled once, others anew', async () => {
    const trainer = opened()
    const optimizer = trainer.sgd(plain)
    const written = (factor: number): ClassifierTerm => ({
      on,
      loss: ({ logits, labels, crossEntropy, multiply }) => multiply(crossEntropy(logits, labels), factor),
    })
    await optimizer.descend([written(2)], { steps: 2 })
    const seconds = trainer.executor.compileSeconds()
    expect(seconds).toBeGreaterThan(0)
    await optimizer.descend([written(2)], { steps: 3 })
    await trainer.sgd({ ...plain, learningRate: 0.5 }).descend([written(2)], { steps: 3, learningRate: 0.2 })
    expect(trainer.executor.compileSeconds()).toBe(seconds)
    await optimizer.descend([written(3)], { steps: 1 })
    expect(trainer.executor.compileSeconds()).toBeGreaterThan(seconds)
  })

  test('numbers come by step or for all steps, and are asked for by name', async () => {
    const factored: ClassifierTerm = {
      ...fitting,
      loss: (values) => values.multiply(fitting.loss(values), values.number('factor')),
    }
    const lossOf = (factor: number | ((step: number) => number), steps = 1) =>
      opened()
        .sgd({ ...plain, learningRate: 1e-12 })
        .descend([factored], { steps, numbers: { factor } })
    const one = await lossOf(1)
    expect(await lossOf(2.5)).toBeCloseTo(2.5 * one, 5)
    // (1 + 2 + 3) / 3
    expect(await lossOf((step) => step + 1, 3)).toBeCloseTo(2 * one, 5)
    const trainer = opened()
    const span = { steps: 1 }
    await expect(trainer.sgd(plain).descend([factored], span)).rejects.toThrow(
      'the loss asks for number("factor"); give it with { numbers: { factor } }',
    )
    await expect(lossOf(Number.NaN)).rejects.toThrow('number("factor"): expected a finite number, got NaN')
    await expect(lossOf((step) => 1 / (1 - step), 2)).rejects.toThrow(
      'number("factor"): expected a finite number, got Infinity',
    )
    for (const asked of [
      () => trainer.gradient(factored),
      () => trainer.importance(factored),
      () => trainer.mask({ kind: 'saliency', density: 0.5, of: factored }),
      () => trainer.evaluate(on, ({ logits, number, multiply }) => multiply(logits, number('factor'))),
    ])
      await expect(asked()).rejects.toThrow('number("factor") comes with steps, and none are taken here')
  })

  test('penalties, directions and what comes after see all weights', async () => {
    const step = async (options: Partial<OptimizerOptions>, kept?: (original: Kept) => Partial<OptimizerOptions>) => {
      const trainer = opened()
      const before = flatten(await trainer.read())
      await trainer
        .sgd({ ...plain, ...options, ...kept?.(trainer.keep()) })
        .descend([{ ...fitting, loss: (values) => values.multiply(fitting.loss(values), 0) }], { steps: 1 })
      return { before, after: flatten(await trainer.read()) }
    }
    const shrunk = await step({ penalty: ({ weights, sum, square }) => sum(square(weights)) })
    near(
      [...shrunk.after],
      [...shrunk.before].map((value) => 0.8 * value),
    ) // θ − 0.1 · 2θ
    const unit = await step({ penalty: ({ weights, norm }) => norm(weights) })
    const length = Math.hypot(...unit.before)
    near(
      [...unit.after],
      [...unit.before].map((value) => value - (0.1 * value) / length),
    )
    const own = await step({ direction: ({ weights, add }) => add(weights, 1) })
    near(
      [...own.after],
      [...own.before].map((value) => value - 0.1 * (value + 1)),
    )
    const clipped = await step({ after: ({ weights, clip }) => clip(weights, -0.05, 0.05) })
    near(
      [...clipped.after],
      [...clipped.before].map((value) => Math.min(Math.max(value, -0.05), 0.05)),
    )
    const still = await step({}, (original) => ({
      penalty: ({ weights, weightsOf, norm, subtract }) => norm(subtract(weights, weightsOf(original))),
    }))
    expect(still.after).toEqual(still.before)
  })

  test('tensors of a method’s own are trained beside the weights, and go with their optimizer', async () => {
    const trainer = opened()
    const before = await trainer.read()
    const own = { point: { shape: [2], values: Float32Array.of(0, 1) } }
    const options = { learningRate: 0.1, momentum: 0.9, weightDecay: 0.5, own }
    const optimizer = trainer.sgd({ ...options, mask: trainer.select(() => false) })
    const towards: ClassifierTerm = {
      on,
      loss: (values) => {
        const { own, add, subtract, square, sum } = values
        return add(fitting.loss(values), sum(square(subtract(own('point'), 3))))
      },
    }
    await optimizer.descend([towards], { steps: 1 })
    await optimizer.descend([towards], { steps: 2 })
    const expected = [0, 1].map((start) => {
      let [point, velocity] = [start, 0]
      for (let step = 0; step < 3; step++) {
        velocity = 0.9 * velocity + 2 * (point - 3) + 0.5 * point
        point -= 0.1 * velocity
      }
      return point
    })
    near([...(await optimizer.own('point'))], expected)
    // The mask holds the model, not them.
    expect(await trainer.read()).toEqual(before)
    expect([...trainer.state().keys()]).toEqual([...opened().state().keys()])
    // The gradient of Σ (p − 3)² at 0 and 1 is −6 and −4.
    const clipped = trainer.sgd({ ...plain, own, clipNorm: 0.1, mask: trainer.select(() => false) })
    await clipped.descend(
      [{ ...towards, loss: (values) => values.sum(values.square(values.subtract(values.own('point'), 3))) }],
      { steps: 1 },
    )
    near([...(await clipped.own('point'))], [0.1 * 0.1 * (6 / Math.sqrt(52)), 1 + 0.1 * 0.1 * (4 / Math.sqrt(52))])
    const unknown = 'own("point") is trained by its optimizer; give it with { own: { point: … } } there'
    await expect(trainer.sgd(plain).descend([towards], { steps: 1 })).rejects.toThrow(unknown)
    await expect(trainer.gradient(towards)).rejects.toThrow(unknown)
    await expect(clipped.own('line')).rejects.toThrow('own("line"): this optimizer trains no tensor of that name')
    const short = { point: { shape: [3], values: Float32Array.of(1) } }
    expect(() => trainer.sgd({ ...plain, own: short })).toThrow('own("point"): expected 3 values for [3], got 1')
  })

  test('a kept model can be given values of the method’s own in place of those from before', async () => {
    const trainer = opened()
    const weights = await trainer.read()
    const kept = trainer.keep()
    const still = {
      ...fitting,
      loss: (values: Parameters<ClassifierTerm['loss']>[0]) => values.multiply(fitting.loss(values), 0),
    }
    const optimizer = trainer.sgd({ ...plain, direction: ({ weightsOf }) => weightsOf(kept) })
    kept.retake(new Map([...weights].map(([name, values]) => [name, values.map(() => 2)])))
    await optimizer.descend([still], { steps: 1 })
    near(
      [...flatten(await trainer.read())],
      [...flatten(weights)].map((value) => value - 0.1 * 2),
    )
  })

  test('logits and features of a batch come from one pass, so that running statistics move once', async () => {
    const stateAfter = async (loss: ClassifierTerm['loss']) => {
      const trainer = opened()
      await trainer.sgd(plain).descend([{ on, loss }], { steps: 1 })
      return trainer.state()
    }
    const alone = await stateAfter(({ logits, labels, crossEntropy }) => crossEntropy(logits, labels))
    const both = await stateAfter(({ logits, labels, featuresOf, crossEntropy, add, multiply, mean }) =>
      add(crossEntropy(logits, labels), multiply(0, mean(featuresOf({})))),
    )
    for (const name of ['bn.running_mean', 'bn.running_var'])
      near(numbersOf(both.get(name)!), numbersOf(alone.get(name)!))
  })

  test('what can’t be descended is refused', async () => {
    const trainer = opened()
    const descend = (terms: ClassifierTerm[], options: Partial<OptimizerOptions> = {}) =>
      trainer.sgd({ ...plain, ...options }).descend(terms, { steps: 1 })
    await expect(descend([])).rejects.toThrow('expected a term to descend, got none')
    await expect(descend([{ on, loss: ({ logits }) => logits }])).rejects.toThrow(
      'expected one number, got a tensor of shape [12,10]',
    )
    await expect(descend([{ on, loss: ({ labels, mean }) => mean(labels) }])).rejects.toThrow(/does not depend on/)
    for (const term of [1, -1, 0.5])
      await expect(descend([fitting], { direction: ({ gradient }) => gradient(term) })).rejects.toThrow(
        `expected a term below 1, got ${term}`,
      )
    await expect(descend([fitting], { direction: ({ loss }) => loss(0) })).rejects.toThrow(
      'expected values of all weights, got one tensor',
    )
    await expect(descend([fitting], { penalty: ({ weights }) => weights })).rejects.toThrow(
      'expected one number, got values of all weights',
    )
    await expect(descend([fitting], { after: ({ weights, sum }) => sum(weights) })).rejects.toThrow(
      'expected values of all weights',
    )
    const unknown = { number: 7, retake() {} }
    await expect(descend([{ on, loss: ({ logitsOf, mean }) => mean(logitsOf({ of: unknown })) }])).rejects.toThrow(
      'there is no kept model 7',
    )
    await expect(trainer.evaluate(on, ({ logits, mean }) => mean(logits))).rejects.toThrow(
      'expected a value of each of 12 examples, got a tensor of shape []',
    )
    await expect(trainer.evaluate(on, ({ logits, sum }) => sum(logits, 0))).rejects.toThrow(
      'expected a value of each of 12 examples, got a tensor of shape [10]',
    )
  })

  test('what was held answers for its weights only where the network needs no more', async () => {
    const trainer = opened()
    const held = trainer.hold(await trainer.read())
    await expect(trainer.evaluate(on, ({ logitsOf }) => logitsOf({ of: held }))).rejects.toThrow(
      "the kept model 0 has no bn.running_mean, so it can't answer",
    )
  })

  test('labels and other integers are values like others', async () => {
    const trainer = opened()
    const labels = Int32Array.from(on.items, (_, i) => i % 10)
    const found = await trainer.evaluate({ ...on, labels }, ({ labels }) => labels)
    expect([...found]).toEqual([...labels])
    const halves = await trainer.evaluate({ ...on, labels }, ({ labels, divide }) => divide(labels, 2))
    expect([...halves]).toEqual([...labels].map((label) => label / 2))
  })

  test('two questions at once are answered one after the other', async () => {
    const trainer = opened()
    const both = await Promise.all([
      trainer.evaluate(on, ({ logits }) => logits),
      trainer.sgd(plain).descend([fitLabels(range(0, 40), { batchSize: 10 })], { passes: 1 }),
      trainer.evaluate(on, ({ logits }) => logits),
    ])
    const other = opened()
    const first = await other.evaluate(on, ({ logits }) => logits)
    const loss = await other.sgd(plain).descend([fitLabels(range(0, 40), { batchSize: 10 })], { passes: 1 })
    expect(both).toEqual([first, loss, await other.evaluate(on, ({ logits }) => logits)])
    expect(both[2]).not.toEqual(both[0])
  })
})
