/** Gradients of ops that only move entries: each entry's gradient goes back to where the entry came from. */

import { at, withInputs } from '../../onnx/arity.ts'
import { constantInts, normalAxis, paddedPlaces, padsOf, sliceRanges, splitLengths } from '../../onnx/geometry.ts'
import { describe, listOf, numberOf, stringOf, type Value } from '../../onnx/graph.ts'
import type { Ops } from '../../onnx/ops.ts'
import { int64s, numbersOf, type Shape } from '../../onnx/tensor.ts'
import { padOrCrop, zerosLike } from './parts/pieces.ts'
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

/** Adds each slice of `dy` [...before, ...indices, ...after] to the entry of `axis` that its index names. */
function scatterAdd(ops: Ops, like: Value, indices: Value, dy: Value, axis: number): Value {
  const { shape } = like
  const rank = indices.shape.length
  const axes = [...dy.shape.keys()]
  // [...before, ...indices, ...after] -> [...indices, ...before, ...after]
  const updates = ops.Transpose(dy, [
    ...axes.slice(axis, axis + rank),
    ...axes.slice(0, axis),
    ...axes.slice(axis + rank),
  ])
  const front = [at(shape, axis), ...shape.slice(0, axis), ...shape.slice(axis + 1)]
  const target = ops.Expand(ops.scalar(like.type, 0), front)
  const [sum] = ops.emit('ScatterND', [target, ops.Unsqueeze(indices, [rank]), updates], { reduction: 'add' })
  // [extent, ...before, ...after] -> [...before, extent, ...after]
  const back = [...shape.keys()].map((at) => (at < axis ? at + 1 : at === axis ? 0 : at))
  return ops.Transpose(sum, back)
}

export const Gather: Rule = withInputs(2, ({ ops, node, x: [x, indices], dy, constant }) => {
  const axis = normalAxis(numberOf(node, 'axis', 0), x.shape.length)
  const content = constant(1)
  if (content?.data.length !== 1) return [scatterAdd(ops, x, ops.Cast(indices, 'int64'), dy, axis)]
  // One constant index: zeros around one slice.
  const extent = at(x.shape, axis)
  const index = normalAxis(at(numbersOf(content), 0), extent)
  const pads = Array<number>(2 * x.shape.length).fill(0)
  pads[axis] = index
  pads[axis + x.shape.length] = extent - 1 - index
  const slice = x.shape.map((size, i) => (i === axis ? 1 : size))
  return [ops.Pad(ops.Reshape(dy, slice), pads)]
})

/** An index that stands alone on its axis hits its entry once, so that nothing needs adding. */
export const GatherElements: Rule = withInputs(2, ({ ops, node, x: [x, indices], dy }) => {
  const axis = normalAxis(numberOf(node, 'axis', 0), x.shape.length)
  const reduction = indices.shape[axis] === 1 ? 'none' : 'add'
  return [ops.ScatterElements(zerosLike(ops, x), indices, dy, axis, reduction)]
})

/** The entries that were chosen take the gradients of the values; indices have none. */
export const TopK: Rule = ({ ops, node, x: [x], y, dy }) => [
  ops.ScatterElements(zerosLike(ops, x), at(y, 1), dy, numberOf(node, 'axis', -1)),
]

export const GatherND: Rule = withInputs(2, ({ ops, node, x: [x, indices], dy }) => {
  if (numberOf(node, 'batch_dims', 0) !== 0) throw new Error(`no gradient for ${describe(node)} with batch_dims`)
  return ops.emit('ScatterND', [zerosLike(ops, x), indices, dy], { reduction: 'add' })
})

/** Overwritten entries of the data have no gradient; updates take theirs from where they landed. */
export const ScatterElements: Rule = withInputs(3, ({ ops, node, x: [, indices, updates], dy, needs }) => {
  const axis = numberOf(node, 'axis', 0)
  const reduction = stringOf(node, 'reduction', 'none')
  if (reduction !== 'none' && reduction !== 'add')
    throw new Error(`no gradient for ${describe(node)} with reduction ${reduction}; expected none or add`)
  const kept = () => (reduction === 'add' ? dy : ops.ScatterElements(dy, indices, zerosLike(ops, updates), axis))
  return [needs(0) ? kept() : null, null, needs(2) ? ops.GatherElements(dy, indices, axis) : null]
})

export const ScatterND: Rule = withInputs(3, ({ ops, node, x: [, indices, updates], dy, needs }) => {
  const reduction = stringOf(node, 'reduction', 'none')
  if (reduction !== 'none' && reduction !== 'add')
    throw new Error(`no gradient for ${describe(node)} with reduction ${reduction}; expected none or add`)
  const kept = () => (reduction === 'add' ? dy : ops.emit('ScatterND', [dy, indices, zerosLike(ops, updates)])[0])
  return [needs(0) ? kept() : null, null, needs(2) ? ops.emit('GatherND', [dy, indices])[0] : null]
})

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

/** Nearest-neighbour enlargement by whole factors, where each entry becomes a block: the block is summed. */
export const Resize: Rule = ({ ops, node, x: [x], dy }) => {
  const mode = stringOf(node, 'mode', 'nearest')
  const transform = stringOf(node, 'coordinate_transformation_mode', 'half_pixel')
  const rounding = stringOf(node, 'nearest_mode', 'round_prefer_floor')
  const factors = x.shape.map((extent, axis) => at(dy.shape, axis) / extent)
  const blocks =
    transform === 'asymmetric'
      ? rounding === 'floor'
      : ['half_pixel', 'half_pixel_symmetric', 'pytorch_half_pixel'].includes(transform) && rounding.startsWith('round')
  if (mode !== 'nearest' || !blocks || !factors.every(Number.isInteger)) {
    throw new Error(
      `no gradient for ${describe(node)} with mode ${mode}, ${transform}, ${rounding}, [${x.shape}] to [${dy.shape}]; ` +
        'expected nearest with whole factors, asymmetric with floor or half_pixel with round_prefer_floor',
    )
  }
  // [h * f] -> [h, f] -> [h]
  const split = x.shape.flatMap((extent, axis) => [extent, at(factors, axis)])
  const axes = factors.flatMap((factor, axis) => (factor > 1 ? [2 * axis + 1] : []))
  return [ops.Reshape(ops.ReduceSum(ops.Reshape(dy, split), axes), x.shape)]
}

/** The mask that the forward pass drew says which entries passed; they were scaled by 1 / (1 - ratio). */
export const Dropout: Rule = ({ ops, node, x: [, ratio], y: [, mask], dy, constant }) => {
  const training = node.inputs[2] ? constant(2) : undefined
  if (!node.inputs[2] || (training && numbersOf(training)[0] === 0)) return [dy]
  if (!mask) throw new Error(`no gradient for ${describe(node)} in training mode without its mask; give it two outputs`)
  const passed = ops.Cast(mask, dy.type)
  const keep = ratio ? ops.Sub(1, ops.Cast(ratio, dy.type)) : 0.5
  return [ops.Div(ops.Mul(dy, passed), keep)]
}
