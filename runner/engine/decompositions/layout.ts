/** Ops that move blocks about, by views and transposition, and those that cut or pad about the middle. */
import { at } from '../onnx/arity.ts'
import { constantInts, normalAxis } from '../onnx/geometry.ts'
import { listOf, numberOf, stringOf } from '../onnx/graph.ts'
import { arrays, sizeOf, tensor } from '../onnx/tensor.ts'
import { spansOf } from '../onnx/windows.ts'
import { type Decomposition, input, table } from './parts/decomposition.ts'

/** Channels to blocks of the map: [n, b * b * c, h, w] -> [n, c, h * b, w * b]; by CRD, a block's channels are neighbours. */
export const DepthToSpace: Decomposition = (context) => {
  const { ops, node } = context
  const x = input(context, 0)
  const [n, c, h, w] = x.shape as [number, number, number, number]
  const b = numberOf(node, 'blocksize', 1)
  const deep = c / (b * b)
  const [split, perm] =
    stringOf(node, 'mode', 'DCR') === 'DCR'
      ? [
          [n, b, b, deep, h, w],
          [0, 3, 4, 1, 5, 2],
        ]
      : [
          [n, deep, b, b, h, w],
          [0, 1, 4, 2, 5, 3],
        ]
  return [ops.Reshape(ops.Transpose(ops.Reshape(x, split), perm), [n, deep, h * b, w * b])]
}

/** Blocks of the map to channels: [n, c, h * b, w * b] -> [n, b * b * c, h, w]; by CRD, a block's channels are neighbours. */
export const SpaceToDepth: Decomposition = (context) => {
  const { ops, node } = context
  const x = input(context, 0)
  const [n, c, height, width] = x.shape as [number, number, number, number]
  const b = numberOf(node, 'blocksize', 1)
  const [h, w] = [height / b, width / b]
  const split = ops.Reshape(x, [n, c, h, b, w, b])
  const perm = stringOf(node, 'mode', 'DCR') === 'DCR' ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4]
  return [ops.Reshape(ops.Transpose(split, perm), [n, b * b * c, h, w])]
}

/** Each axis cut or padded with zeros, half of it before. */
export const CenterCropPad: Decomposition = (context) => {
  const { ops, node } = context
  const x = input(context, 0)
  const rank = x.shape.length
  const wanted = constantInts(context, 1)
  const axes = listOf(node, 'axes', [...x.shape.keys()]).map((axis) => normalAxis(axis, rank))
  const surplus = axes.map((axis, i) => at(wanted, i) - at(x.shape, axis))
  const cut = axes.flatMap((axis, i) =>
    at(surplus, i) < 0 ? [{ axis, start: Math.floor(-at(surplus, i) / 2), i }] : [],
  )
  const cropped =
    cut.length === 0
      ? x
      : ops.Slice(
          x,
          cut.map(({ start }) => start),
          cut.map(({ start, i }) => start + at(wanted, i)),
          cut.map(({ axis }) => axis),
        )
  const pads = Array<number>(2 * rank).fill(0)
  axes.forEach((axis, i) => {
    const missing = Math.max(0, at(surplus, i))
    pads[axis] = Math.floor(missing / 2)
    pads[axis + rank] = Math.ceil(missing / 2)
  })
  return [ops.Pad(cropped, pads)]
}

/** Windows summed into the map that they lie in: [n, c * taps, places] -> [n, c, ...map], which is a transposed convolution whose
 *  filter for each tap of a window is a one in the tap's place. */
export const Col2Im: Decomposition = (context) => {
  const { ops, node } = context
  const x = input(context, 0)
  const [map, kernel] = [constantInts(context, 1), constantInts(context, 2)]
  const rank = map.length
  const strides = [...listOf(node, 'strides', Array(rank).fill(1))]
  const dilations = [...listOf(node, 'dilations', Array(rank).fill(1))]
  const pads = [...listOf(node, 'pads', Array(2 * rank).fill(0))]
  const spans = spansOf({ kernel, strides, dilations, pads })
  const room = spans.map(({ k, dilation, begin, end }, i) => at(map, i) + begin + end - (k - 1) * dilation - 1)
  const places = spans.map(({ stride }, i) => Math.floor(at(room, i) / stride) + 1)
  const taps = sizeOf(kernel)
  const [n, rows] = x.shape as [number, number, number]
  const ones = table(node, taps * taps, (i) => Number(Math.floor(i / taps) === i % taps))
  const filters = ops.constant(tensor(x.type, [taps, 1, ...kernel], arrays[x.type as 'float32'].from(ones)), 'taps')
  const windows = ops.Reshape(x, [(n * rows) / taps, taps, ...places])
  // What no window reaches at the end of an axis.
  const rest = spans.map(({ stride }, i) => at(room, i) % stride)
  const sums = ops.ConvTranspose(windows, filters, { strides, dilations, pads, output_padding: rest })
  return [ops.Reshape(sums, [n, rows / taps, ...map])]
}
