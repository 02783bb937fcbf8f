/** Gradients of ops that only move entries: each entry's gradient goes back to where the entry came from. */

import { at } from '../../onnx/arity.ts'
import { constantInts, normalAxis, paddedPlaces, padsOf, sliceRanges, splitLengths } from '../../onnx/geometry.ts'
import { describe, listOf, numberOf, stringOf, type Value } from '../../onnx/graph.ts'
import type { Ops } from '../../onnx/ops.ts'
import { int64s, numbersOf, type Shape } from '../../onnx/tensor.ts'
import { padOrCrop, scatterAdd, zerosLike } from './parts/pieces.ts'
import type { Rule } from './parts/rule.ts'

const sameShape: Rule = ({ ops, x: [x], dy }) => [ops.Reshape(dy, x.shape)]
export const Reshape = sameShape
export const Flatten = sameShape
export const Squeeze = sameShape
export const Unsqueeze = sameShape

export const Expand: Rule = ({ dy }) => [dy]

export const Transpose: Rule = ({ ops, node, x: [x], dy }) => {
  const axes = [...x.shape.keys()]
  const perm = listOf(node, 'perm', axes.toReversed())
  return [
    ops.Transpose(
      dy,
      axes.map((axis) => perm.indexOf(axis)),
    ),
  ]
}

export const Concat: Rule = ({ ops, node, x, dy }) => {
  const axis = normalAxis(numberOf(node, 'axis', 0), dy.shape.length)
  return ops.Split(
    dy,
    x.map(({ shape }) => at(shape, axis)),
    axis,
  )
}

export const Split: Rule = (context) => {
  const { ops, y, dys } = context
  return [
    ops.Concat(
      dys.map((dy, index) => dy ?? zerosLike(ops, at(y, index))),
      splitLengths(context).axis,
    ),
  ]
}

/** Writes zeros between the entries of an axis: [.., length, ..] -> [.., length * step, ..]. */
function spread(ops: Ops, x: Value, axis: number, step: number): Value {
  const before = x.shape.slice(0, axis)
  const after = x.shape.slice(axis + 1)
  const length = x.shape[axis]!
  const column = ops.Reshape(x, [...before, length, 1, ...after])
  const pads = Array(2 * column.shape.length).fill(0)
  pads[column.shape.length + axis + 1] = step - 1
  return ops.Reshape(ops.Pad(column, pads), [...before, length * step, ...after])
}

export const Slice: Rule = (context) => {
  const {
    ops,
    x: [x],
    dy,
  } = context
  const rank = dy.shape.length
  const pads = Array<number>(2 * rank).fill(0)
  let spaced = dy
  sliceRanges(context).forEach(({ start, step, length }, axis) => {
    const stride = Math.abs(step)
    if (step < 0) spaced = ops.Slice(spaced, [-1], [-length - 1], [axis], [-1])
    if (stride > 1) spaced = spread(ops, spaced, axis, stride)
    const first = step < 0 ? start + (length - 1) * step : start
    pads[axis] = first
    pads[axis + rank] = at(x.shape, axis) - first - length * stride
  })
  return [padOrCrop(ops, spaced, pads)]
}

/** Entries that were copied take the gradients of their copies; a fill that is learned, those of all that it filled. */
export const Pad: Rule = (context) => {
  const { ops, node, x, dy, needs } = context
  const [data, , fill] = x
  const pads = padsOf(context)
  const mode = stringOf(node, 'mode', 'constant')
  if (mode === 'constant') {
    const back = padOrCrop(ops, dy, [...pads.map(({ begin }) => -begin), ...pads.map(({ end }) => -end)])
    const total = (value: Value) => ops.ReduceSum(value, [...value.shape.keys()], 0)
    return [back, null, fill && needs(2) ? ops.Reshape(ops.Sub(total(dy), total(back)), fill.shape) : null]
  }
  return [
    pads.reduce((gradient, own, axis) => {
      if (own.begin === 0 && own.end === 0) return gradient
      const places = paddedPlaces(mode, at(data.shape, axis), own)
      const shape = gradient.shape.map((size, i) => (i === axis ? at(data.shape, axis) : size))
      const indices = ops.constant(int64s([places.length], places))
      return scatterAdd(ops, { name: '', type: dy.type, shape }, indices, gradient, axis)
    }, dy),
  ]
}

/** Copies along an axis are summed: [r0 * d0, r1 * d1] -> [r0, d0, r1, d1] -> [d0, d1]. */
function sumCopies(ops: Ops, dy: Value, copies: readonly number[], shape: Shape): Value {
  const split = shape.flatMap((extent, axis) => [at(copies, axis), extent])
  const axes = shape.flatMap((_, axis) => (at(copies, axis) > 1 ? [2 * axis] : []))
  return ops.Reshape(ops.ReduceSum(ops.Reshape(dy, split), axes), shape)
}

export const Tile: Rule = (context) => [
  sumCopies(context.ops, context.dy, constantInts(context, 1), context.x[0].shape),
]

/** The mask that the forward pass drew says which entries passed; they were scaled by 1 / (1 - ratio). */
export const Dropout: Rule = ({ ops, node, x: [, ratio], y: [, mask], dy, constant }) => {
  const training = node.inputs[2] ? constant(2) : undefined
  if (!node.inputs[2] || (training && numbersOf(training)[0] === 0)) return [dy]
  if (!mask) throw new Error(`no gradient for ${describe(node)} in training mode without its mask; give it two outputs`)
  const passed = ops.Cast(mask, dy.type)
  const keep = ratio ? ops.Sub(1, ops.Cast(ratio, dy.type)) : 0.5
  return [ops.Div(ops.Mul(dy, passed), keep)]
}
