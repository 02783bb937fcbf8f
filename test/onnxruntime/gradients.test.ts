/** Every gradient rule against central differences, and the errors of the walk. A new rule needs a case here. */
import { describe, expect, test } from 'vitest'
import { differentiate } from '../../runner/engine/autodiff/differentiate.ts'
import { batchNormTraining } from '../../runner/engine/autodiff/gradients/batch-normalization.ts'
import { groupNormTraining } from '../../runner/engine/autodiff/gradients/group-normalization.ts'
import * as gradients from '../../runner/engine/autodiff/gradients/index.ts'
import { stopGradient } from '../../runner/engine/onnx/functions.ts'
import { addInput, addOutput, float, newGraph, type Value } from '../../runner/engine/onnx/graph.ts'
import { type AttributeInput, type Ops, opsFor } from '../../runner/engine/onnx/ops.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { arrays, floats, int64s, numbersOf, type Shape, sizeOf, tensor } from '../../runner/engine/onnx/tensor.ts'
import { type Build, gradientErrors, type Input } from './gradient-check.ts'
import { uniformAt, uniforms } from './uniform.ts'

let seed = 1000
const between =
  (low: number, high: number) =>
  (...shape: number[]): Input => ({ shape, data: uniforms(seed++, sizeOf(shape), low, high) })
const any = between(-1, 1)
const positive = between(0.5, 2)
const inside = between(-0.8, 0.8)

/** Entries of [-2, 2] that keep a distance from each other and from 0, in random order: no ties, no kinks at 0. */
function apart(...shape: number[]): Input {
  const count = sizeOf(shape)
  const stream = seed++
  const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => uniformAt(stream, a) - uniformAt(stream, b))
  const even = count + (count % 2)
  return { shape, data: Float32Array.from(order, (rank) => (4 * (rank + 0.5)) / even - 2) }
}

/** A constant of the precision that `like` has. */
const numbers = (ops: Ops, like: Value, shape: Shape, data: readonly number[]): Value =>
  ops.constant(tensor(like.type, shape, arrays[like.type as 'float32'].from(data)))
const indices = (ops: Ops, shape: Shape, data: readonly number[]): Value => ops.constant(int64s(shape, data))
const flag = (ops: Ops, shape: Shape, data: readonly number[]): Value =>
  ops.constant(tensor('bool', shape, Uint8Array.from(data)))

const node =
  (op: string, attributes: Record<string, AttributeInput> = {}, outputs = 1): Build =>
  (ops, ...x) =>
    ops.emit(op, x, attributes, { outputs })
/** A node whose inputs after the first are constant int64 lists. */
const listed =
  (
    op: string,
    lists: readonly (readonly number[])[],
    attributes: Record<string, AttributeInput> = {},
    outputs = 1,
  ): Build =>
  (ops, x) =>
    ops.emit(op, [x!, ...lists.map((list) => ops.list(list))], attributes, { outputs })

/** What central differences are taken of; without, `build`. */
type Case = [title: string, inputs: Input[], build: Build, forward?: Build]
const unary = (op: string, input: Input): Case[] => [['', [input], node(op)]]
const reductions = (op: string, input: (...shape: number[]) => Input): Case[] => [
  ['all axes', [input(3, 4)], node(op, { keepdims: 0 })],
  ['one axis', [input(2, 3, 4)], listed(op, [[1]])],
  ['two axes, dropped', [input(2, 3, 4)], listed(op, [[0, -1]], { keepdims: 0 })],
  ['no axes as identity', [input(2, 3)], node(op, { noop_with_empty_axes: 1 })],
]
const extremes = (op: string): Case[] => [
  ['two', [apart(2, 5), apart(2, 5)], (ops, a, b) => ops.emit(op, [a!, ops.Add(b!, 0.03)])],
  [
    'three, broadcast',
    [apart(2, 5), apart(5), apart(2, 1)],
    (ops, a, b, c) => ops.emit(op, [a!, ops.Add(b!, 0.07), ops.Add(c!, -0.13)]),
  ],
  ['one', [any(3)], node(op)],
  ['a number', [apart(2, 5)], (ops, x) => (op === 'Max' ? ops.Max(x!, 0.03) : ops.Min(0.03, x!))],
]
/** What an input is, as a constant that no gradient reaches. */
const held = (ops: Ops, like: Value, { shape, data }: Input) => numbers(ops, like, shape, [...data])
const stopped = { x: any(2, 3), y: any(2, 3) }
const statistics = { epsilon: float(1e-3) }
/** GroupNormalization computes in the precision that it's told, float32 unless 11 names float64. */
const groups =
  (num_groups: number): Build =>
  (ops, x, scale, bias) =>
    ops.emit('GroupNormalization', [x!, scale!, bias!], {
      ...statistics,
      num_groups,
      stash_type: x!.type === 'float64' ? 11 : 1,
    })

const cases: Record<string, Case[]> = {
  Identity: unary('Identity', any(3)),
  StopGradient: [
    // d/dx (x * stop(x)) = x
    [
      'of a factor',
      [stopped.x],
      (ops, x) => ops.Mul(x!, stopGradient(ops, x!)),
      (ops, x) => ops.Mul(x!, held(ops, x!, stopped.x)),
    ],
    [
      'of one term',
      [stopped.x, stopped.y],
      (ops, x, y) => ops.Add(ops.Exp(ops.Mul(stopGradient(ops, ops.Sin(x!)), y!)), ops.Mul(x!, y!)),
      (ops, x, y) => ops.Add(ops.Exp(ops.Mul(ops.Sin(held(ops, x!, stopped.x)), y!)), ops.Mul(x!, y!)),
    ],
  ],
  Add: [['broadcast', [any(2, 3, 4), any(3, 1)], node('Add')]],
  Sub: [
    ['broadcast', [any(2, 3), any(3)], node('Sub')],
    ['scalar', [any(), any(2, 3)], node('Sub')],
  ],
  Mul: [
    ['broadcast', [any(2, 1, 4), any(3, 1)], node('Mul')],
    ['square', [any(4)], (ops, x) => ops.Mul(x!, x!)],
  ],
  Div: [['broadcast', [any(2, 3), positive(3)], node('Div')]],
  Neg: unary('Neg', any(3)),
  Abs: unary('Abs', apart(2, 6)),
  Exp: unary('Exp', any(2, 3)),
  Log: unary('Log', positive(2, 3)),
  Sqrt: unary('Sqrt', positive(2, 3)),
  Reciprocal: unary('Reciprocal', positive(2, 3)),
  Sin: unary('Sin', any(2, 3)),
  Cos: unary('Cos', any(2, 3)),
  Erf: unary('Erf', any(2, 3)),
  Pow: [
    ['square', [any(2, 3)], (ops, x) => ops.Pow(x!, 2)],
    ['cube', [any(2, 3)], (ops, x) => ops.Pow(x!, 3)],
    ['root', [positive(2, 3)], (ops, x) => ops.Pow(x!, 0.5)],
    ['zero', [positive(3)], (ops, x) => [ops.Pow(x!, 0), x!]],
    ['both, broadcast', [positive(2, 3), any(3)], node('Pow')],
    ['integer exponents', [positive(2, 3)], (ops, x) => ops.emit('Pow', [x!, indices(ops, [3], [1, 2, -1])])],
  ],
  Sum: [
    ['three, broadcast', [any(2, 3), any(3), any(2, 1)], node('Sum')],
    ['one', [any(2)], node('Sum')],
  ],
  Mean: [['three, broadcast', [any(2, 3), any(3), any(2, 1)], node('Mean')]],
  Max: extremes('Max'),
  Min: extremes('Min'),
  Where: [
    ['broadcast', [any(2, 3), any(3)], (ops, a, b) => ops.Where(flag(ops, [2, 1], [1, 0]), a!, b!)],
    ['by comparison', [apart(4, 3)], (ops, x) => ops.Where(ops.Greater(x!, 0), ops.Mul(x!, x!), x!)],
  ],
  Cast: [
    ['to double precision', [any(2, 3)], (ops, x) => ops.Cast(ops.Mul(x!, x!), 'float64')],
    [
      'of integers stops',
      [apart(2, 4)],
      (ops, x) => ops.Add(x!, ops.Cast(ops.Cast(ops.Mul(x!, 0.01), 'int32'), x!.type)),
    ],
    ['of flags stops', [apart(2, 4)], (ops, x) => ops.Mul(x!, ops.Cast(ops.Greater(x!, 0), x!.type))],
  ],
  Clip: [
    [
      'both bounds',
      [apart(4, 4)],
      (ops, x) => ops.emit('Clip', [x!, ops.scalar(x!.type, -1), ops.scalar(x!.type, 0.5)]),
    ],
    ['lower bound', [apart(4, 4)], (ops, x) => ops.emit('Clip', [x!, ops.scalar(x!.type, 0)])],
    ['upper bound', [apart(4, 4)], (ops, x) => ops.emit('Clip', [x!, null, ops.scalar(x!.type, 0.5)])],
    [
      'learned bounds',
      [apart(4, 4), inside(), positive()],
      (ops, x, a, b) => ops.emit('Clip', [x!, ops.Sub(ops.Mul(a!, 0.1), 1), ops.Mul(b!, 0.5)]),
    ],
  ],
  ...Object.fromEntries(
    ['Sign', 'Floor', 'Ceil', 'Round'].map((op) => [
      op,
      [['beside its input', [between(0.1, 0.4)(2, 3)], (ops, x) => [ops.emit(op, [x!])[0]!, x!]]] satisfies Case[],
    ]),
  ),
  CumSum: [
    ['', [any(2, 4)], (ops, x) => ops.emit('CumSum', [x!, ops.scalar('int64', 1)])],
    ['exclusive', [any(3, 2)], (ops, x) => ops.emit('CumSum', [x!, ops.scalar('int64', 0)], { exclusive: 1 })],
    ['reverse', [any(3, 2)], (ops, x) => ops.emit('CumSum', [x!, ops.scalar('int64', -2)], { reverse: 1 })],
  ],

  Relu: unary('Relu', apart(3, 6)),
  LeakyRelu: [
    ['', [apart(3, 6)], node('LeakyRelu')],
    ['alpha', [apart(3, 6)], node('LeakyRelu', { alpha: 0.3 })],
  ],
  PRelu: [
    ['a slope per channel', [apart(2, 3, 4), any(3, 1)], node('PRelu')],
    ['one slope', [apart(2, 4), any(1)], node('PRelu')],
  ],
  Elu: [
    ['', [apart(3, 6)], node('Elu')],
    ['alpha', [apart(3, 6)], node('Elu', { alpha: 0.7 })],
  ],
  Selu: unary('Selu', apart(3, 6)),
  Sigmoid: unary('Sigmoid', any(2, 3)),
  Tanh: unary('Tanh', any(2, 3)),
  Softplus: [['', [any(2, 3)], (ops, x) => ops.Softplus(x!)]],
  HardSigmoid: [
    ['', [any(2, 6)], node('HardSigmoid')],
    ['steep', [apart(4, 8)], node('HardSigmoid', { alpha: 0.6, beta: 0.4 })],
  ],
  HardSwish: [['', [apart(4, 8)], (ops, x) => ops.emit('HardSwish', [ops.Mul(x!, 2)])]],
  Gelu: [
    ['', [any(2, 3)], node('Gelu')],
    ['by tanh', [any(2, 3)], node('Gelu', { approximate: 'tanh' })],
  ],

  MatMul: [
    ['matrices', [any(3, 4), any(4, 2)], node('MatMul')],
    ['batches', [any(2, 3, 4), any(2, 4, 5)], node('MatMul')],
    ['broadcast batches', [any(2, 1, 3, 4), any(5, 4, 2)], node('MatMul')],
    ['one matrix for a batch', [any(2, 5, 3, 4), any(4, 2)], node('MatMul')],
    ['one matrix on the left', [any(3, 4), any(2, 4, 5)], node('MatMul')],
    ['vector and matrix', [any(4), any(4, 2)], node('MatMul')],
    ['matrix and vector', [any(3, 4), any(4)], node('MatMul')],
    ['vectors', [any(4), any(4)], node('MatMul')],
    ['vector and batch', [any(4), any(2, 4, 3)], node('MatMul')],
    ['batch and vector', [any(2, 3, 4), any(4)], node('MatMul')],
  ],
  Gemm: [0, 1]
    .flatMap((transA) =>
      [0, 1].map(
        (transB): Case => [
          `transA ${transA}, transB ${transB}`,
          [transA ? any(3, 2) : any(2, 3), transB ? any(4, 3) : any(3, 4), any(4)],
          node('Gemm', { transA, transB, alpha: 0.5, beta: 1.5 }),
        ],
      ),
    )
    .concat([
      ['without c', [any(2, 3), any(3, 4)], node('Gemm')],
      ['column c', [any(2, 3), any(3, 4), any(2, 1)], node('Gemm')],
      ['scalar c', [any(2, 3), any(3, 4), any()], node('Gemm')],
    ]),

  Reshape: [
    ['', [any(2, 6)], listed('Reshape', [[3, -1]])],
    ['copied extent', [any(2, 6)], listed('Reshape', [[0, 2, 3]])],
  ],
  Flatten: [
    ['', [any(2, 3, 2)], node('Flatten')],
    ['axis', [any(2, 3, 2)], node('Flatten', { axis: -1 })],
  ],
  Squeeze: [
    ['axes', [any(1, 3, 1)], listed('Squeeze', [[0]])],
    ['all', [any(1, 3, 1)], node('Squeeze')],
  ],
  Unsqueeze: [['', [any(3, 2)], listed('Unsqueeze', [[0, -1]])]],
  Expand: [
    ['', [any(3, 1)], listed('Expand', [[2, 1, 4]])],
    ['scalar', [any()], listed('Expand', [[2, 3]])],
  ],
  Transpose: [
    ['reversed', [any(2, 3, 4)], node('Transpose')],
    ['permuted', [any(2, 3, 4)], node('Transpose', { perm: [1, 2, 0] })],
  ],
  Concat: [
    ['', [any(2, 3), any(2, 1), any(2, 2)], node('Concat', { axis: 1 })],
    ['negative axis', [any(2, 3), any(4, 3)], node('Concat', { axis: -2 })],
    ['one', [any(2, 3)], node('Concat', { axis: 0 })],
  ],
  Split: [
    ['lengths', [any(5, 2)], listed('Split', [[2, 3]], {}, 2)],
    ['even parts', [any(2, 6)], node('Split', { axis: 1, num_outputs: 3 }, 3)],
    ['uneven parts', [any(5, 2)], node('Split', { num_outputs: 2 }, 2)],
    ['one part used', [any(5, 2)], (ops, x) => ops.Split(x!, [2, 3], 0)[1]!],
  ],
  Slice: [
    [
      '',
      [any(5, 4)],
      listed('Slice', [
        [1, 0],
        [4, 3],
      ]),
    ],
    ['axes, from the end', [any(3, 6)], listed('Slice', [[-4], [-1], [1]])],
    ['steps', [any(3, 8)], listed('Slice', [[1], [100], [1], [3]])],
    ['steps that end early', [any(9)], listed('Slice', [[0], [6], [0], [2]])],
    ['backwards', [any(5, 2)], listed('Slice', [[-1], [-100], [0], [-1]])],
    ['backwards by two', [any(2, 7)], listed('Slice', [[5], [0], [1], [-2]])],
  ],
  Gather: [
    ['rows', [any(4, 3)], (ops, x) => ops.Gather(x!, indices(ops, [2, 3], [0, 2, 0, 3, -1, 0]))],
    ['middle axis', [any(2, 4, 3)], (ops, x) => ops.Gather(x!, indices(ops, [2, 2], [1, 3, 1, 0]), 1)],
    ['one slice', [any(2, 4, 3)], (ops, x) => ops.Gather(x!, indices(ops, [], [-1]), 1)],
    ['one slice, kept axis', [any(2, 4, 3)], (ops, x) => ops.Gather(x!, indices(ops, [1], [2]), -1)],
  ],
  GatherElements: [
    ['labels', [any(4, 3)], (ops, x) => ops.GatherElements(x!, indices(ops, [4, 1], [2, 0, 1, 2]), 1)],
    ['repeated', [any(2, 4)], (ops, x) => ops.GatherElements(x!, indices(ops, [2, 3], [0, 0, -1, 2, 1, 2]), -1)],
    ['fewer rows', [any(4, 3)], (ops, x) => ops.GatherElements(x!, indices(ops, [2, 2], [0, 3, 3, 3]), 0)],
  ],
  TopK: [
    ['values', [apart(3, 5)], (ops, x) => ops.TopK(x!, 2, 1)[0]!],
    [
      'smallest, first axis',
      [apart(4, 2)],
      (ops, x) => ops.emit('TopK', [x!, ops.list([3])], { axis: 0, largest: 0 }, { outputs: 2 })[0]!,
    ],
  ],
  GatherND: [['', [any(3, 4, 2)], (ops, x) => ops.emit('GatherND', [x!, indices(ops, [3, 2], [0, 1, 2, 3, 0, 1])])]],
  ScatterElements: [
    [
      '',
      [any(3, 4), any(3, 2)],
      (ops, x, u) => ops.ScatterElements(x!, indices(ops, [3, 2], [0, 1, 3, 0, 2, -1]), u!, 1),
    ],
    [
      'add',
      [any(3, 4), any(2, 4)],
      (ops, x, u) => ops.ScatterElements(x!, indices(ops, [2, 4], [0, 1, 2, 0, 0, 2, 2, 1]), u!, 0, 'add'),
    ],
  ],
  ScatterND: [
    ['', [any(4, 3), any(2, 3)], (ops, x, u) => ops.emit('ScatterND', [x!, indices(ops, [2, 1], [3, 1]), u!])],
    [
      'add',
      [any(4, 3), any(3, 3)],
      (ops, x, u) => ops.emit('ScatterND', [x!, indices(ops, [3, 1], [3, 1, 3]), u!], { reduction: 'add' }),
    ],
  ],
  Pad: [
    ['', [any(2, 3)], listed('Pad', [[0, 1, 2, 0]])],
    ['value', [any(2, 3)], (ops, x) => ops.emit('Pad', [x!, ops.list([1, 1, 0, 2]), ops.scalar(x!.type, 3)])],
    ['cropping', [any(4, 5)], listed('Pad', [[-1, 2, 1, -3]])],
    ['axes', [any(2, 3, 2)], (ops, x) => ops.emit('Pad', [x!, ops.list([1, 2]), null, ops.list([-2])])],
    ['reflect', [any(2, 3, 4)], listed('Pad', [[0, 2, 1, 0, 1, 3]], { mode: 'reflect' })],
    ['edge', [any(3, 4)], listed('Pad', [[2, 1, 0, 2]], { mode: 'edge' })],
    ['wrap', [any(3, 4)], listed('Pad', [[2, 1, 0, 2]], { mode: 'wrap' })],
  ],
  Tile: [['', [any(2, 3)], listed('Tile', [[2, 3]])]],
  Resize: [
    [
      'asymmetric',
      [any(1, 2, 3, 2)],
      (ops, x) =>
        ops.emit('Resize', [x!, null, ops.constant(floats([4], [1, 1, 2, 3]))], {
          coordinate_transformation_mode: 'asymmetric',
          nearest_mode: 'floor',
        }),
    ],
    ['half pixel, sizes', [any(1, 2, 3, 2)], (ops, x) => ops.emit('Resize', [x!, null, null, ops.list([1, 2, 12, 6])])],
  ],
  Dropout: [
    ['at inference', [any(2, 3)], node('Dropout')],
    [
      'at inference, with a ratio',
      [any(2, 3)],
      (ops, x) => ops.emit('Dropout', [x!, ops.scalar('float32', 0.3), flag(ops, [], [0])]),
    ],
  ],

  ReduceSum: reductions('ReduceSum', any),
  ReduceMean: reductions('ReduceMean', any),
  ReduceSumSquare: reductions('ReduceSumSquare', any),
  ReduceL1: reductions('ReduceL1', apart),
  ReduceL2: reductions('ReduceL2', any),
  ReduceLogSumExp: [
    ...reductions('ReduceLogSumExp', any),
    ['over the other classes', [any(3, 4)], (ops, x) => ops.ReduceLogSumExp(ops.Slice(x!, [1], [4], [1]), [1], 0)],
  ],
  ReduceMax: reductions('ReduceMax', apart),
  ReduceMin: [...reductions('ReduceMin', apart), ['rows', [apart(3, 4)], (ops, x) => ops.ReduceMin(x!, [1])]],

  Softmax: [
    ['', [any(3, 4)], node('Softmax')],
    ['axis', [any(2, 3, 4)], node('Softmax', { axis: 1 })],
  ],
  LogSoftmax: [
    ['', [any(3, 4)], node('LogSoftmax')],
    ['axis', [any(2, 3, 4)], node('LogSoftmax', { axis: -2 })],
  ],

  MaxPool: [
    ['blocks', [apart(2, 2, 4, 4)], node('MaxPool', { kernel_shape: [2, 2], strides: [2, 2] })],
    [
      'overlapping windows',
      [apart(1, 2, 6, 6)],
      node('MaxPool', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
    ],
    ['dilations', [apart(1, 1, 7, 7)], node('MaxPool', { kernel_shape: [2, 2], dilations: [3, 2] })],
    ['ceil_mode', [apart(1, 2, 5, 5)], node('MaxPool', { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 })],
    ['gaps', [apart(1, 1, 7, 7)], node('MaxPool', { kernel_shape: [2, 2], strides: [3, 3] })],
    ['one dimension', [apart(2, 3, 8)], node('MaxPool', { kernel_shape: [3], strides: [2] })],
    [
      'auto_pad',
      [apart(1, 1, 5, 5)],
      node('MaxPool', { kernel_shape: [2, 2], strides: [2, 2], auto_pad: 'SAME_UPPER' }),
    ],
  ],
  AveragePool: [
    ['blocks', [any(2, 2, 4, 4)], node('AveragePool', { kernel_shape: [2, 2], strides: [2, 2] })],
    ['blocks and a rest', [any(2, 2, 5, 7)], node('AveragePool', { kernel_shape: [2, 3], strides: [2, 3] })],
    [
      'overlapping windows',
      [any(1, 2, 6, 6)],
      node('AveragePool', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
    ],
    [
      'pads counted',
      [any(1, 2, 6, 6)],
      node('AveragePool', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 }),
    ],
    [
      'asymmetric pads',
      [any(1, 2, 6, 6)],
      node('AveragePool', { kernel_shape: [3, 3], strides: [2, 2], pads: [0, 0, 1, 1] }),
    ],
    ['ceil_mode', [any(1, 2, 5, 5)], node('AveragePool', { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 })],
    [
      'ceil_mode with pads',
      [any(1, 2, 6, 6)],
      node('AveragePool', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1 }),
    ],
    ['dilations', [any(1, 2, 6, 6)], node('AveragePool', { kernel_shape: [2, 2], dilations: [2, 3] })],
    ['gaps', [any(1, 1, 7, 7)], node('AveragePool', { kernel_shape: [2, 2], strides: [3, 3] })],
    ['one dimension', [any(2, 3, 8)], node('AveragePool', { kernel_shape: [3], strides: [2] })],
  ],
  GlobalAveragePool: unary('GlobalAveragePool', any(2, 3, 4, 2)),
  GlobalMaxPool: unary('GlobalMaxPool', apart(2, 3, 4, 2)),

  BatchNormalization: [
    [
      'at inference',
      [any(4, 3, 2, 2), positive(3), any(3), any(3), positive(3)],
      node('BatchNormalization', statistics),
    ],
    [
      'at inference, one dimension',
      [any(4, 3), positive(3), any(3)],
      (ops, x, s, b) =>
        ops.emit(
          'BatchNormalization',
          [x!, s!, b!, numbers(ops, x!, [3], [0.1, 0.2, -0.3]), numbers(ops, x!, [3], [1, 2, 0.5])],
          {},
        ),
    ],
    ...[
      [4, 3, 2, 2],
      [6, 3],
    ].map(
      (shape): Case => [
        `in training, rank ${shape.length}`,
        [any(...shape), positive(3), any(3)],
        (ops, x, s, b) =>
          ops.emit(
            'BatchNormalization',
            [x!, s!, b!, numbers(ops, x!, [3], [0, 0, 0]), numbers(ops, x!, [3], [1, 1, 1])],
            { ...statistics, training_mode: 1 },
            { outputs: 3 },
          )[0]!,
      ],
    ),
  ],
  LayerNormalization: [
    ['last axis', [any(2, 3, 4), positive(4), any(4)], node('LayerNormalization', statistics)],
    ['two axes', [any(3, 2, 4), positive(2, 4), any(2, 4)], node('LayerNormalization', { ...statistics, axis: 1 })],
    ['without bias', [any(3, 4), positive(4)], node('LayerNormalization', statistics)],
  ],
  GroupNormalization: [
    ['', [any(2, 6, 2, 2), positive(6), any(6)], groups(3)],
    ['one dimension', [any(2, 4, 5), positive(4), any(4)], groups(2)],
  ],
  InstanceNormalization: [['', [any(2, 3, 2, 3), positive(3), any(3)], node('InstanceNormalization', statistics)]],
  GroupNormTraining: [
    [2, 6, 2, 3],
    [2, 6, 4],
  ].map(
    (shape): Case => [
      `rank ${shape.length}`,
      [any(...shape), positive(6), any(6)],
      (ops, x, s, b) => groupNormTraining(ops, x!, s!, b!, { groups: 3, epsilon: 1e-3 }),
    ],
  ),
  BatchNormTraining: [
    [4, 3, 2, 2],
    [6, 3],
  ].map(
    (shape): Case => [
      `rank ${shape.length}`,
      [any(...shape), positive(3), any(3)],
      (ops, x, s, b) => batchNormTraining(ops, x!, s!, b!, 1e-3)[0],
    ],
  ),

  Conv: [
    ['', [any(2, 3, 5, 5), any(4, 3, 3, 3), any(4)], node('Conv')],
    ['pads', [any(2, 3, 5, 5), any(4, 3, 3, 3)], node('Conv', { pads: [1, 1, 1, 1] })],
    ['large map', [any(2, 2, 12, 12), any(3, 2, 3, 3)], node('Conv', { pads: [1, 1, 1, 1] })],
    ['large map, wide output', [any(1, 2, 12, 12), any(150, 2, 1, 1)], node('Conv')],
    ['large map, uneven kernel', [any(2, 2, 14, 12), any(3, 2, 3, 2)], node('Conv', { pads: [0, 1, 2, 0] })],
    [
      'large map, dilations',
      [any(1, 2, 16, 16), any(2, 2, 3, 3)],
      node('Conv', { pads: [2, 2, 2, 2], dilations: [2, 2] }),
    ],
    ['wide map', [any(2, 2, 3, 16), any(3, 2, 3, 3)], node('Conv', { pads: [1, 1, 1, 1] })],
    ['wide map, uneven', [any(2, 2, 5, 17), any(3, 2, 2, 3)], node('Conv', { pads: [0, 1, 2, 0] })],
    ['strides', [any(2, 3, 6, 6), any(4, 3, 3, 3)], node('Conv', { pads: [1, 1, 1, 1], strides: [2, 2] })],
    ['strides that leave a rest', [any(2, 3, 8, 7), any(4, 3, 3, 3)], node('Conv', { strides: [3, 2] })],
    ['1x1 with strides', [any(2, 3, 6, 6), any(4, 3, 1, 1)], node('Conv', { strides: [2, 2] })],
    ['asymmetric pads', [any(2, 3, 5, 5), any(4, 3, 2, 2)], node('Conv', { pads: [0, 0, 1, 1] })],
    ['dilations', [any(2, 2, 8, 8), any(3, 2, 3, 3)], node('Conv', { pads: [2, 2, 2, 2], dilations: [2, 2] })],
    ['dilations and strides', [any(1, 2, 9, 9), any(3, 2, 3, 3)], node('Conv', { dilations: [2, 2], strides: [2, 3] })],
    ['groups', [any(2, 4, 5, 5), any(6, 2, 3, 3), any(6)], node('Conv', { pads: [1, 1, 1, 1], group: 2 })],
    [
      'depthwise with strides',
      [any(2, 4, 6, 6), any(4, 1, 3, 3)],
      node('Conv', { pads: [1, 1, 1, 1], group: 4, strides: [2, 2] }),
    ],
    ['groups, large map', [any(2, 4, 12, 12), any(4, 2, 3, 3)], node('Conv', { pads: [1, 1, 1, 1], group: 2 })],
    ['auto_pad', [any(1, 2, 6, 6), any(3, 2, 3, 3)], node('Conv', { auto_pad: 'SAME_UPPER', strides: [2, 2] })],
    ['one dimension', [any(2, 3, 8), any(4, 3, 3), any(4)], node('Conv', { pads: [1, 1], strides: [2] })],
    ['three dimensions', [any(1, 2, 4, 4, 4), any(2, 2, 2, 2, 2)], node('Conv')],
  ],
  ConvTranspose: [
    ['', [any(2, 3, 4, 4), any(3, 2, 3, 3), any(2)], node('ConvTranspose')],
    [
      'strides, pads, output padding',
      [any(2, 3, 4, 4), any(3, 2, 3, 3)],
      node('ConvTranspose', { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] }),
    ],
    ['groups', [any(2, 4, 4, 4), any(4, 2, 2, 2)], node('ConvTranspose', { group: 2, strides: [2, 2] })],
    ['dilations', [any(1, 2, 4, 4), any(2, 3, 2, 2)], node('ConvTranspose', { dilations: [2, 2] })],
  ],
}

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
  const [y] = ops.emit('Hardmax', [x], {}, { types: [{ type: 'float32', shape: [2] }] })
  expect(() => differentiate(graph, ops.ReduceSum(y!, [0], 0), [x])).toThrow(
    `no gradient for Hardmax (node ${y!.name}); export Hardmax from runner/engine/autodiff/gradients/`,
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
    [
      'AveragePool',
      any(1, 1, 6),
      node('AveragePool', { kernel_shape: [3], strides: [2], ceil_mode: 1, count_include_pad: 1 }),
    ],
    ['Resize', any(1, 1, 4), (ops, x) => ops.emit('Resize', [x!, null, null, ops.list([1, 1, 6])])],
    ['Dropout', any(1, 1, 4), (ops, x) => ops.emit('Dropout', [x!, ops.scalar('float32', 0.5), flag(ops, [], [1])])],
    [
      'ScatterElements',
      any(2),
      (ops, x) => ops.ScatterElements(x!, indices(ops, [1], [0]), numbers(ops, x!, [1], [2]), 0, 'mul'),
    ],
  ]
  test.each(refusals)('%s', async (op, input, build) => {
    await expect(gradientOf(input, (ops, x) => [build(ops, x)].flat()[0]!)).rejects.toThrow(
      `no gradient for ${op} (node ${op}.`,
    )
  })
})
