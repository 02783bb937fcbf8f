/** Ops that only change how entries lie: views, joins and cuts, copies, padding. */
import { at } from '../arity.ts'
import {
  broadcastShapes,
  constantInts,
  givenAxes,
  type Inference,
  normalAxis,
  padsOf,
  sliceRanges,
  splitLengths,
  squeezed,
  unsqueezed,
} from '../geometry.ts'
import { describe, listOf, numberOf, stringOf } from '../graph.ts'
import { sizeOf } from '../tensor.ts'

export const Reshape: Inference = (context) => {
  const { type, shape } = context.x[0]
  const target = constantInts(context, 1).map((extent, i) =>
    extent === 0 && numberOf(context.node, 'allowzero', 0) === 0 ? at(shape, i) : extent,
  )
  const known = target.reduce((size, extent) => (extent === -1 ? size : size * extent), 1)
  const size = sizeOf(shape)
  const output = target.map((extent) => (extent === -1 ? size / known : extent))
  if (sizeOf(output) !== size || !output.every(Number.isInteger)) {
    throw new Error(`${describe(context.node)}: [${shape}] does not reshape to [${target}]`)
  }
  return [{ type, shape: output }]
}

export const Transpose: Inference = ({ node, x }) => {
  const { type, shape } = x[0]
  const permutation = listOf(
    node,
    'perm',
    shape.map((_, axis) => shape.length - 1 - axis),
  )
  return [{ type, shape: permutation.map((axis) => at(shape, axis)) }]
}
export const Flatten: Inference = ({ node, x }) => {
  const { type, shape } = x[0]
  const axis = normalAxis(numberOf(node, 'axis', 1), shape.length)
  return [{ type, shape: [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))] }]
}
export const Concat: Inference = ({ node, x }) => {
  const axis = normalAxis(numberOf(node, 'axis', 0), x[0].shape.length)
  const total = x.reduce((sum, { shape }) => sum + at(shape, axis), 0)
  return [{ type: x[0].type, shape: x[0].shape.map((extent, i) => (i === axis ? total : extent)) }]
}
export const Split: Inference = (context) => {
  const { axis, lengths } = splitLengths(context)
  const { type, shape } = context.x[0]
  return lengths.map((length) => ({ type, shape: shape.map((extent, i) => (i === axis ? length : extent)) }))
}
export const Slice: Inference = (context) => [
  { type: context.x[0].type, shape: sliceRanges(context).map(({ length }) => length) },
]
export const Pad: Inference = (context) => {
  const { type, shape } = context.x[0]
  const mode = stringOf(context.node, 'mode', 'constant')
  return [
    {
      type,
      shape: padsOf(context).map(({ begin, end }, axis) => {
        const extent = at(shape, axis)
        const left = extent + Math.min(0, begin) + Math.min(0, end)
        // What onnxruntime copies at most: all entries but that at the edge, or all.
        const most = { reflect: left - 1, wrap: left }[mode] ?? (left > 0 ? Number.POSITIVE_INFINITY : 0)
        if (mode !== 'constant' && Math.max(begin, end) > Math.max(0, most))
          throw new Error(
            `${describe(context.node)}: ${left} entries can't be padded by [${begin}, ${end}] in mode ${mode}`,
          )
        return begin + extent + end
      }),
    },
  ]
}

export const Unsqueeze: Inference = (context) => [
  { type: context.x[0].type, shape: unsqueezed(context.x[0].shape, givenAxes(context)) },
]
export const Squeeze: Inference = (context) => [
  { type: context.x[0].type, shape: squeezed(context.x[0].shape, givenAxes(context)) },
]
export const Expand: Inference = (context) => [
  { type: context.x[0].type, shape: broadcastShapes(context.x[0].shape, constantInts(context, 1)) },
]
export const Tile: Inference = (context) => {
  const repeats = constantInts(context, 1)
  return [{ type: context.x[0].type, shape: context.x[0].shape.map((extent, axis) => extent * at(repeats, axis)) }]
}
