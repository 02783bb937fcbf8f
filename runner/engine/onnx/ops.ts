/** The node builder: `ops.Conv(x, w)` adds a node to a graph and gives its output value. Shapes are inferred on the way. */

import { at } from './arity.ts'
import { dataTypeOf } from './element-types.ts'
import type { OutputType } from './geometry.ts'
import { type Attribute, addConstant, float, type Graph, int, ints, type Node, string, type Value } from './graph.ts'
import { inferOutputs } from './shapes.ts'
import { arrays, type ElementType, int64s, type Shape, type Tensor, tensor } from './tensor.ts'

/** A value, or a number that becomes a constant of the other operand's type. */
export type Operand = Value | number

export type AttributeInput = number | string | readonly number[] | Attribute
const FLOAT_ATTRIBUTES = new Set(['alpha', 'beta', 'epsilon', 'momentum', 'gamma', 'ratio', 'cubic_coeff_a'])

function attributeOf(name: string, input: AttributeInput): Attribute {
  if (typeof input === 'string') return string(input)
  if (typeof input === 'number') return FLOAT_ATTRIBUTES.has(name) ? float(input) : int(input)
  return Array.isArray(input) ? ints(input) : (input as Attribute)
}

export interface EmitOptions {
  domain?: string
  outputs?: number
  /** Given where no shape rule applies: a Loop, a function, an op of another domain. */
  types?: OutputType[]
  /** Names of the outputs begin with these; without, with the op. */
  hints?: readonly string[]
}

/** Adds nodes to one graph. */
export type Ops = ReturnType<typeof opsFor>

export function opsFor(graph: Graph) {
  const scalars = new Map<string, Value>()
  const scalar = (type: ElementType, value: number): Value => {
    const key = `${type} ${value}`
    let constant = scalars.get(key)
    if (!constant) {
      const data = type === 'int64' ? BigInt64Array.of(BigInt(value)) : arrays[type].of(value)
      constant = addConstant(graph, tensor(type, [], data), 'scalar')
      scalars.set(key, constant)
    }
    return constant
  }
  const lists = new Map<string, Value>()
  /** A constant int64 vector, such as a shape or a list of axes. */
  const list = (numbers: readonly number[]): Value => {
    const key = numbers.join()
    let constant = lists.get(key)
    if (!constant) {
      constant = addConstant(graph, int64s([numbers.length], numbers), 'list')
      lists.set(key, constant)
    }
    return constant
  }

  function emit(
    op: string,
    inputs: readonly (Value | null)[],
    attributes: Record<string, AttributeInput> = {},
    options: EmitOptions = {},
  ): [Value, ...Value[]] {
    const { domain = '', outputs = 1, types, hints } = options
    const node: Node = {
      op,
      domain,
      inputs,
      // Until their types are inferred, outputs are names for messages.
      outputs: Array.from({ length: types?.length ?? outputs }, (_, i) =>
        hints?.[i] ? ({ name: hints[i] } as Value) : null,
      ),
      attributes: Object.fromEntries(
        Object.entries(attributes).map(([name, input]) => [name, attributeOf(name, input)]),
      ),
    }
    const x = inputs.filter((input) => input !== null)
    const constant = (index: number) => {
      const input = inputs[index]
      return input ? graph.initializers.get(input) : undefined
    }
    const inferred = types ?? inferOutputs(node, x, constant).slice(0, outputs)
    const values = inferred.map(({ type, shape }, i) => ({ name: graph.freshName(hints?.[i] || op), type, shape }))
    graph.nodes.push({ ...node, outputs: values })
    return values as [Value, ...Value[]]
  }

  const one = (op: string, inputs: readonly (Value | null)[], attributes?: Record<string, AttributeInput>): Value =>
    emit(op, inputs, attributes)[0]
  const unary = (op: string) => (x: Value, attributes?: Record<string, AttributeInput>) => one(op, [x], attributes)
  const binary = (op: string) => (a: Operand, b: Operand) => {
    const type = typeof a === 'number' ? (typeof b === 'number' ? 'float32' : b.type) : a.type
    return one(op, [typeof a === 'number' ? scalar(type, a) : a, typeof b === 'number' ? scalar(type, b) : b])
  }
  const reduce =
    (op: string) =>
    (x: Value, axes: readonly number[], keepdims: 0 | 1 = 1) =>
      axes.length === 0 ? ofNone(op, x) : one(op, [x, list(axes)], { keepdims })
  /** A reduction over no axes, as over those of a scalar. */
  const ofNone = (op: string, x: Value) => (op === 'ReduceSumSquare' ? one('Mul', [x, x]) : x)

  return {
    graph,
    emit,
    scalar,
    list,
    constant: (content: Tensor, hint?: string) => addConstant(graph, content, hint),
    Abs: unary('Abs'),
    Cos: unary('Cos'),
    Erf: unary('Erf'),
    Exp: unary('Exp'),
    Floor: unary('Floor'),
    Log: unary('Log'),
    Neg: unary('Neg'),
    Not: unary('Not'),
    Reciprocal: unary('Reciprocal'),
    Relu: unary('Relu'),
    Round: unary('Round'),
    Sigmoid: unary('Sigmoid'),
    Sign: unary('Sign'),
    Sin: unary('Sin'),
    Softplus: unary('Softplus'),
    Sqrt: unary('Sqrt'),
    Tanh: unary('Tanh'),
    Identity: unary('Identity'),
    Softmax: unary('Softmax'),
    LogSoftmax: unary('LogSoftmax'),
    GlobalAveragePool: unary('GlobalAveragePool'),
    Add: binary('Add'),
    Sub: binary('Sub'),
    Mul: binary('Mul'),
    Div: binary('Div'),
    Pow: binary('Pow'),
    Max: binary('Max'),
    Min: binary('Min'),
    Mod: binary('Mod'),
    And: binary('And'),
    Equal: binary('Equal'),
    Greater: binary('Greater'),
    GreaterOrEqual: binary('GreaterOrEqual'),
    Less: binary('Less'),
    LessOrEqual: binary('LessOrEqual'),
    ReduceSum: reduce('ReduceSum'),
    ReduceMean: reduce('ReduceMean'),
    ReduceMax: reduce('ReduceMax'),
    ReduceMin: reduce('ReduceMin'),
    ReduceSumSquare: reduce('ReduceSumSquare'),
    ReduceLogSumExp: reduce('ReduceLogSumExp'),
    Where(condition: Value, a: Operand, b: Operand): Value {
      const type = typeof a === 'number' ? (typeof b === 'number' ? 'float32' : b.type) : a.type
      return one('Where', [
        condition,
        typeof a === 'number' ? scalar(type, a) : a,
        typeof b === 'number' ? scalar(type, b) : b,
      ])
    },
    Cast: (x: Value, type: ElementType) => (x.type === type ? x : one('Cast', [x], { to: dataTypeOf(type) })),
    MatMul: (a: Value, b: Value) => one('MatMul', [a, b]),
    Gemm: (a: Value, b: Value, c: Value | null = null, attributes: Record<string, AttributeInput> = {}) =>
      one('Gemm', c ? [a, b, c] : [a, b], attributes),
    Conv: (x: Value, w: Value, b: Value | null = null, attributes: Record<string, AttributeInput> = {}) =>
      one('Conv', b ? [x, w, b] : [x, w], attributes),
    ConvTranspose: (x: Value, w: Value, attributes: Record<string, AttributeInput> = {}) =>
      one('ConvTranspose', [x, w], attributes),
    Reshape: (x: Value, shape: Shape) => (x.shape.join() === shape.join() ? x : one('Reshape', [x, list(shape)])),
    Transpose: (x: Value, perm: readonly number[]) =>
      perm.every((axis, i) => axis === i) ? x : one('Transpose', [x], { perm }),
    Concat: (parts: readonly Value[], axis: number) =>
      parts.length === 1 ? at(parts, 0) : one('Concat', parts, { axis }),
    Split: (x: Value, lengths: readonly number[], axis: number) =>
      lengths.length === 1 ? [x] : emit('Split', [x, list(lengths)], { axis }, { outputs: lengths.length }),
    Slice: (
      x: Value,
      starts: readonly number[],
      ends: readonly number[],
      axes: readonly number[],
      steps: readonly number[] = axes.map(() => 1),
    ) => one('Slice', [x, list(starts), list(ends), list(axes), list(steps)]),
    /** Pads are [begin of each axis..., end of each axis...]. */
    Pad: (x: Value, pads: readonly number[]) => (pads.every((pad) => pad === 0) ? x : one('Pad', [x, list(pads)])),
    Gather: (x: Value, indices: Value, axis = 0) => one('Gather', [x, indices], { axis }),
    GatherElements: (x: Value, indices: Value, axis: number) => one('GatherElements', [x, indices], { axis }),
    ScatterElements: (x: Value, indices: Value, updates: Value, axis: number, reduction = 'none') =>
      one('ScatterElements', [x, indices, updates], { axis, reduction }),
    /** The largest `count` entries of an axis, in falling order, and their indices. */
    TopK: (x: Value, count: number, axis: number) =>
      emit('TopK', [x, list([count])], { axis }, { outputs: 2 }) as [Value, Value],
    Unsqueeze: (x: Value, axes: readonly number[]) => one('Unsqueeze', [x, list(axes)]),
    Squeeze: (x: Value, axes: readonly number[]) => one('Squeeze', [x, list(axes)]),
    Expand: (x: Value, shape: Shape) => (x.shape.join() === shape.join() ? x : one('Expand', [x, list(shape)])),
    OneHot: (indices: Value, depth: number) =>
      one('OneHot', [
        indices,
        scalar('int64', depth),
        addConstant(graph, tensor('float32', [2], Float32Array.of(0, 1))),
      ]),
  }
}
