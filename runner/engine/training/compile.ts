/** From what an expression recorded to nodes of a graph. A value is a tensor, or a pack: one tensor for each bundle of
 *  parameters. */

import { ExpressionError, type ExprNode, type Recording } from '../../science/expression.ts'
import { differentiate } from '../autodiff/differentiate.ts'
import { stopGradient } from '../onnx/functions.ts'
import type { Value } from '../onnx/graph.ts'
import type { Ops } from '../onnx/ops.ts'
import { crossEntropy, squaredError } from './losses.ts'
import { softThreshold } from './proximal.ts'

export type Compiled = Value | readonly Value[]

const isPack = (value: Compiled): value is readonly Value[] => Array.isArray(value)

/** Builds the values that only the caller knows; null for an op that it doesn't know either. */
export type Known = (node: ExprNode, args: readonly Compiled[]) => Compiled | null

const axesOf = ({ shape }: Value) => shape.map((_, axis) => axis)
const total = (ops: Ops, value: Value) => ops.ReduceSum(value, axesOf(value), 0)
const sizeOf = ({ shape }: Value) => shape.reduce((size, extent) => size * extent, 1)

/** Works on every tensor of a pack, the others with it. */
type Elementwise = (ops: Ops, args: Value[], options: ExprNode['with']) => Value

const elementwise: Record<string, Elementwise> = {
  add: (ops, [a, b]) => ops.Add(a!, b!),
  subtract: (ops, [a, b]) => ops.Sub(a!, b!),
  multiply: (ops, [a, b]) => ops.Mul(a!, b!),
  divide: (ops, [a, b]) => ops.Div(a!, b!),
  power: (ops, [a], { exponent }) => ops.Pow(a!, exponent as number),
  maximum: (ops, [a, b]) => ops.Max(a!, b!),
  minimum: (ops, [a, b]) => ops.Min(a!, b!),
  negate: (ops, [a]) => ops.Neg(a!),
  abs: (ops, [a]) => ops.Abs(a!),
  sign: (ops, [a]) => ops.Sign(a!),
  round: (ops, [a]) => ops.Round(a!),
  square: (ops, [a]) => ops.Mul(a!, a!),
  sqrt: (ops, [a]) => ops.Sqrt(a!),
  exp: (ops, [a]) => ops.Exp(a!),
  log: (ops, [a]) => ops.Log(a!),
  relu: (ops, [a]) => ops.Relu(a!),
  sigmoid: (ops, [a]) => ops.Sigmoid(a!),
  softplus: (ops, [a]) => ops.Softplus(a!),
  tanh: (ops, [a]) => ops.Tanh(a!),
  clip: (ops, [a], { low, high }) => ops.Min(ops.Max(a!, low as number), high as number),
  greater: (ops, [a, b]) => ops.Cast(ops.Greater(a!, b!), 'float32'),
  where: (ops, [condition, a, b]) => ops.Where(ops.Greater(ops.Abs(condition!), 0), a!, b!),
}

/** Of single tensors. */
const ofTensors: Record<string, Elementwise> = {
  softmax: (ops, [a]) => ops.Softmax(a!, { axis: 1 }),
  logSoftmax: (ops, [a]) => ops.LogSoftmax(a!, { axis: 1 }),
  logSumExp: (ops, [a]) => ops.ReduceLogSumExp(a!, [1], 0),
  pick: (ops, [a, labels]) => ops.ReduceSum(ops.Mul(a!, ops.OneHot(labels!, a!.shape[1]!)), [1], 0),
  argMax: (ops, [a]) => ops.emit('ArgMax', [stopGradient(ops, a!)], { axis: 1, keepdims: 0 })[0],
  oneHot: (ops, [labels], { classes }) => ops.OneHot(labels!, classes as number),
  crossEntropy: (ops, [logits, labels]) => crossEntropy(ops, logits!, labels!),
  squaredError: (ops, [a, b], { reduction }) => squaredError(ops, a!, b!, reduction as 'sum' | 'mean'),
  gradient(ops, [scalar, input]) {
    if (scalar!.shape.length > 0)
      throw new ExpressionError(`gradient: expected one number, got a tensor of shape [${scalar!.shape}]`)
    return differentiate(ops.graph, scalar!, [input!])[0]!
  },
}

/** Integers count as numbers: labels, timesteps. */
const asFloat = (ops: Ops, value: Value) => ops.Cast(value, 'float32')

/** Applies an operation to a tensor, or to each tensor of packs; numbers go with every one. */
function eachOf(ops: Ops, { op, with: options }: ExprNode, apply: Elementwise, args: readonly Compiled[]): Compiled {
  const packs = args.filter(isPack)
  const beside = args.find((arg): arg is Value => packs.length > 0 && !isPack(arg) && arg.shape.length > 0)
  if (beside)
    throw new ExpressionError(`${op}: expected a number beside all weights, got a tensor of shape [${beside.shape}]`)
  const at = (i: number) => {
    const values = args.map((arg) => (isPack(arg) ? arg[i]! : arg))
    // A choice between labels is a label.
    const labels = op === 'where' && values.slice(1).every(({ type }) => type === 'int64')
    return labels ? values : values.map((value) => asFloat(ops, value))
  }
  return packs[0] ? packs[0].map((_, i) => apply(ops, at(i), options)) : apply(ops, at(0), options)
}

/** √ of a sum of squares, whose gradient at 0 is 0. */
function rootOf(ops: Ops, squares: Value): Value {
  const positive = ops.Greater(squares, 0)
  return ops.Mul(ops.Sqrt(ops.Where(positive, squares, 1)), ops.Cast(positive, 'float32'))
}

/** Over all tensors of a pack. */
function reduced(ops: Ops, { op, with: { axis } }: ExprNode, args: readonly Compiled[]): Value {
  const [a, b] = args.map((arg) => (isPack(arg) ? arg : asFloat(ops, arg)))
  const parts = isPack(a!) ? a : [a!]
  const added = (values: readonly Value[]) => values.reduce((sum, value) => ops.Add(sum, value))
  if (axis !== undefined) {
    const one = single(op, a!)
    return op === 'mean' ? ops.ReduceMean(one, [axis as number], 0) : ops.ReduceSum(one, [axis as number], 0)
  }
  switch (op) {
    case 'sum':
      return added(parts.map((part) => total(ops, part)))
    case 'mean':
      return ops.Div(
        added(parts.map((part) => total(ops, part))),
        parts.reduce((size, part) => size + sizeOf(part), 0),
      )
    case 'norm':
      return rootOf(ops, added(parts.map((part) => ops.ReduceSumSquare(part, axesOf(part), 0))))
    default: {
      if (isPack(a!) !== isPack(b!)) throw new ExpressionError(`${op}: expected two tensors or all weights twice`)
      const others = isPack(b!) ? b : [b!]
      return added(parts.map((part, i) => total(ops, ops.Mul(part, others[i]!))))
    }
  }
}
const reductions = new Set(['sum', 'mean', 'norm', 'dot'])

function single(op: string, value: Compiled): Value {
  if (isPack(value)) throw new ExpressionError(`${op}: expected a tensor, got all weights`)
  return value
}

/** The values of a recording that have been built so far. */
export interface Building {
  values: Map<number, Compiled>
  /** Of another building of the same recording: what is stopped in it is taken from there. */
  stopped?: Building | undefined
}

/** Builds the output of a recording, and whatever it needs, in the graph of `ops`. Throws ExpressionError for an op that nobody
 *  knows and for arguments of the wrong kind. */
export function build(
  ops: Ops,
  { nodes, output }: Recording,
  known: Known,
  building: Building = { values: new Map() },
): Compiled {
  const { values, stopped } = building
  const at = (id: number): Compiled => {
    const found = values.get(id)
    if (found) return found
    const node = nodes[id]
    if (!node) throw new ExpressionError(`expected a node before ${nodes.length}, got ${id}`)
    const later = node.args.find((arg) => !(arg < id))
    if (later !== undefined) throw new ExpressionError(`${node.op}: expected arguments before ${id}, got ${later}`)
    const earlier = node.op === 'stop' ? stopped?.values.get(id) : undefined
    const value = earlier ?? made(node)
    values.set(id, value)
    return value
  }
  const made = (node: ExprNode): Compiled => {
    const { op } = node
    if (op === 'constant') return ops.scalar('float32', node.with.value as number)
    if (op === 'shrinkChanges') return shrunk(node)
    const args = node.args.map(at)
    if (reductions.has(op)) return reduced(ops, node, args)
    if (op === 'stop') {
      const [a] = args as [Compiled]
      return isPack(a) ? a.map((part) => stopGradient(ops, part)) : stopGradient(ops, a)
    }
    const each = elementwise[op]
    if (each) return eachOf(ops, node, each, args)
    const tensors = ofTensors[op]
    if (tensors)
      return tensors(
        ops,
        args.map((arg) => single(op, arg)),
        node.with,
      )
    const own = known(node, args)
    if (own) return own
    throw new ExpressionError(`${op} is not known here`)
  }
  const shrunk = ({ op, args }: ExprNode): Compiled => {
    const [weights, anchor] = args.slice(0, 2).map(at)
    const k = nodes[args[2]!]!
    // A count of weights has more digits than a float32.
    const count = k.op === 'number' ? known({ ...k, with: { ...k.with, whole: true } }, []) : null
    if (!weights || !anchor || !isPack(weights) || !isPack(anchor) || !count || isPack(count))
      throw new ExpressionError(`${op}: expected all weights, those they are measured from and number(name)`)
    const still = (pack: readonly Value[]) => pack.map((part) => stopGradient(ops, part))
    return softThreshold(ops, still(weights), still(anchor), count)
  }
  return at(output)
}

/** The output of a recording, which must be a number. */
export function buildScalar(ops: Ops, recording: Recording, known: Known, building?: Building): Value {
  const value = build(ops, recording, known, building)
  if (isPack(value)) throw new ExpressionError('expected one number, got values of all weights; sum them')
  if (value.shape.length > 0)
    throw new ExpressionError(`expected one number, got a tensor of shape [${value.shape}]; take its mean or its sum`)
  return value
}

/** The output of a recording, which must be values of all weights. */
export function buildPack(ops: Ops, recording: Recording, known: Known): readonly Value[] {
  const value = build(ops, recording, known)
  if (!isPack(value)) throw new ExpressionError('expected values of all weights, got one tensor')
  return value
}
