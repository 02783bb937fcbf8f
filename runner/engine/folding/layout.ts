/** Ops that only change how entries lie: views, joins and cuts, copies, padding. */
import { at } from '../onnx/arity.ts'
import { normalAxis, paddedPlaces, padsOf, sliceRanges, splitLengths } from '../onnx/geometry.ts'
import { listOf, numberOf, stringOf } from '../onnx/graph.ts'
import { tensor } from '../onnx/tensor.ts'
import { bounded, type Fold, firstOf, made, outputOf, outputsOf, picked, stridesOf, walk } from './rule.ts'

const view: Fold = (context) => {
  const { type, data } = context.x[0]
  return [tensor(type, outputOf(context).shape, data)]
}

export { view as Flatten, view as Identity, view as Reshape, view as Squeeze, view as Unsqueeze }

export const Transpose: Fold = (context) => {
  const [x] = context.x
  const strides = stridesOf(x.shape)
  const permutation = listOf(context.node, 'perm', [...x.shape.keys()].reverse())
  const { shape } = outputOf(context)
  return [
    picked(
      x,
      shape,
      walk(shape, (axis, i) => i * at(strides, at(permutation, axis))),
    ),
  ]
}

export const Slice: Fold = (context) => {
  const [x] = context.x
  const strides = stridesOf(x.shape)
  const ranges = sliceRanges(context)
  const shape = ranges.map(({ length }) => length)
  const place = (axis: number, i: number) => (at(ranges, axis).start + i * at(ranges, axis).step) * at(strides, axis)
  return [picked(x, shape, walk(shape, place))]
}

export const Concat: Fold = (context) => {
  const { type, shape } = outputOf(context)
  const along = normalAxis(numberOf(context.node, 'axis', 0), shape.length)
  const strides = stridesOf(shape)
  const result = made(type, shape, () => 0)
  let before = 0
  for (const x of context.x) {
    const places = walk(x.shape, (axis, i) => i * at(strides, axis), before * at(strides, along))
    places.forEach((place, i) => {
      result.data[place] = x.data[i]!
    })
    before += at(x.shape, along)
  }
  return [result]
}

export const Split: Fold = (context) => {
  const [x] = context.x
  const { axis: along } = splitLengths(context)
  const strides = stridesOf(x.shape)
  let before = 0
  return outputsOf(context).map(({ shape }) => {
    const places = walk(shape, (axis, i) => i * at(strides, axis), before * at(strides, along))
    before += at(shape, along)
    return picked(x, shape, places)
  })
}

/** Copies along an axis: its entries come round again. */
const repeated: Fold = (context) => {
  const [x] = context.x
  const { shape } = outputOf(context)
  const extra = shape.length - x.shape.length
  const strides = stridesOf(x.shape)
  const place = (axis: number, i: number) =>
    axis < extra ? 0 : (i % at(x.shape, axis - extra)) * at(strides, axis - extra)
  return [picked(x, shape, walk(shape, place))]
}

export { repeated as Expand, repeated as Tile }

export const Pad: Fold = (context) => {
  const { node, x } = context
  const [input, , value] = x
  const strides = stridesOf(input.shape)
  const shape = bounded(outputOf(context).shape)
  const mode = stringOf(node, 'mode', 'constant')
  const places = padsOf(context).map((pads, axis) => paddedPlaces(mode, at(input.shape, axis), pads))
  const place = (axis: number, i: number) => at(at(places, axis), i) * at(strides, axis)
  return [picked(input, shape, walk(shape, place), value && firstOf(value))]
}

/** Keeps what is above the diagonal `k`, or below it. */
export const Trilu: Fold = ({ node, x: [x, k] }) => {
  const [rows, columns] = [at(x.shape, -2), at(x.shape, -1)]
  const diagonal = k ? Number(firstOf(k)) : 0
  const upper = numberOf(node, 'upper', 1) === 1
  return [
    made(x.type, x.shape, (i) => {
      const distance = (i % columns) - (Math.floor(i / columns) % rows) - diagonal
      return (upper ? distance >= 0 : distance <= 0) ? x.data[i]! : 0
    }),
  ]
}
