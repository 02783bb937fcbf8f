/** Gradients of pooling over windows and over whole maps. */

import { type Window, windowOf } from '../../onnx/geometry.ts'
import { describe, listOf, numberOf, type Value } from '../../onnx/graph.ts'
import type { Ops } from '../../onnx/ops.ts'
import { arrays, sizeOf, tensor } from '../../onnx/tensor.ts'
import { padOrCrop, zerosLike } from '../parts.ts'
import type { Rule } from '../rule.ts'

/** The first of the largest entries of a window takes its gradient, as in PyTorch. */
export const MaxPool: Rule = ({ ops, node, x: [x], dy }) => {
  const { kernel, strides, dilations } = windowOf(node, listOf(node, 'kernel_shape', []), x!.shape)
  if (numberOf(node, 'storage_order', 0) !== 0)
    throw new Error(`no gradient for ${describe(node)} in column-major order`)
  const winners = ops.emit('MaxPool', [x!], { ...node.attributes }, { outputs: 2 })[1]!
  const overlap = kernel.some((k, i) => (k - 1) * dilations[i]! + 1 > strides[i]!)
  // Indices count entries of the whole tensor: [n, c, oh, ow] -> [n * c * h * w]
  const flat = { ...x!, shape: [sizeOf(x!.shape)] }
  const size = [sizeOf(dy.shape)]
  const sum = ops.ScatterElements(
    zerosLike(ops, flat),
    ops.Reshape(winners, size),
    ops.Reshape(dy, size),
    0,
    overlap ? 'add' : 'none',
  )
  return [ops.Reshape(sum, x!.shape)]
}

/** How many entries each window averages: [1, 1, oh, ow]. */
function windowCounts(
  { kernel, strides, dilations, pads }: Window,
  input: readonly number[],
  output: readonly number[],
) {
  const perAxis = kernel.map((k, i) =>
    Array.from({ length: output[i]! }, (_, at) => {
      const taps = Array.from({ length: k }, (_, tap) => at * strides[i]! - pads[i]! + tap * dilations[i]!)
      return taps.filter((tap) => tap >= 0 && tap < input[i]!).length
    }),
  )
  return perAxis.reduce<number[]>((counts, axis) => counts.flatMap((count) => axis.map((own) => count * own)), [1])
}

/** Whether a window of ceil_mode reaches beyond the padded input. */
const overhangs = ({ kernel, strides, dilations, pads }: Window, input: readonly number[], output: readonly number[]) =>
  kernel.some(
    (k, i) =>
      (output[i]! - 1) * strides[i]! + (k - 1) * dilations[i]! + 1 > input[i]! + pads[i]! + pads[i + kernel.length]!,
  )

/** Spreads [n, c, oh, ow] over the windows: every entry of a window gets the window's value. */
function spreadOverWindows(ops: Ops, dy: Value, { kernel, strides, dilations, pads }: Window, input: Value): Value {
  const [n, c, ...output] = dy.shape as [number, number, ...number[]]
  const extents = input.shape.slice(2)
  const whole = kernel.map((k, i) => (output[i]! - 1) * strides[i]! + (k - 1) * dilations[i]! + 1)
  // Windows side by side are blocks: [oh, ow] -> [oh, 1, ow, 1] -> [oh, kh, ow, kw] -> [oh * kh, ow * kw]
  const blocks = () => {
    const split = ops.Reshape(dy, [n * c, ...output.flatMap((extent) => [extent, 1])])
    const full = ops.Expand(split, [n * c, ...output.flatMap((extent, i) => [extent, kernel[i]!])])
    return ops.Reshape(full, [n, c, ...whole])
  }
  const transposed = () => {
    const ones = ops.Expand(ops.scalar(dy.type, 1), [1, 1, ...kernel])
    const map = ops.ConvTranspose(ops.Reshape(dy, [n * c, 1, ...output]), ones, { strides, dilations })
    return ops.Reshape(map, [n, c, ...whole])
  }
  const sideBySide = kernel.every((k, i) => k === strides[i] && (dilations[i] === 1 || k === 1))
  const begins = kernel.map((_, i) => -pads[i]!)
  const ends = kernel.map((_, i) => extents[i]! + pads[i]! - whole[i]!)
  return padOrCrop(ops, sideBySide ? blocks() : transposed(), [0, 0, ...begins, 0, 0, ...ends])
}

export const AveragePool: Rule = ({ ops, node, x: [x], dy }) => {
  const window = windowOf(node, listOf(node, 'kernel_shape', []), x!.shape)
  const [input, output] = [x!.shape.slice(2), dy.shape.slice(2)]
  const countsPads = numberOf(node, 'count_include_pad', 0) === 1
  if (countsPads && overhangs(window, input, output)) {
    throw new Error(`no gradient for ${describe(node)} with count_include_pad where ceil_mode leaves the padded input`)
  }
  const counts = countsPads ? [sizeOf(window.kernel)] : windowCounts(window, input, output)
  const share = counts.every((count) => count === counts[0])
    ? ops.Div(dy, counts[0]!)
    : ops.Div(dy, ops.constant(tensor(dy.type, [1, 1, ...output], arrays[dy.type as 'float32'].from(counts)), 'counts'))
  return [spreadOverWindows(ops, share, window, x!)]
}

export const GlobalAveragePool: Rule = ({ ops, x: [x], dy }) => [
  ops.Expand(ops.Div(dy, sizeOf(x!.shape.slice(2))), x!.shape),
]

/** The first of the largest entries of a map takes its gradient. */
export const GlobalMaxPool: Rule = ({ ops, x: [x], dy }) => {
  const [n, c, ...spatial] = x!.shape as [number, number, ...number[]]
  const maps = ops.Reshape(x!, [n, c, sizeOf(spatial)])
  const winners = ops.emit('ArgMax', [maps], { axis: 2 })[0]!
  return [ops.Reshape(ops.ScatterElements(zerosLike(ops, maps), winners, ops.Reshape(dy, [n, c, 1]), 2), x!.shape)]
}
