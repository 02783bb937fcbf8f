/** Gradients of pooling over windows and over whole maps. */

import { at } from '../../onnx/arity.ts'
import { spansOf, type Window, windowOf } from '../../onnx/geometry.ts'
import { describe, listOf, numberOf, type Value } from '../../onnx/graph.ts'
import type { Ops } from '../../onnx/ops.ts'
import { arrays, sizeOf, tensor } from '../../onnx/tensor.ts'
import { padOrCrop, zerosLike } from './parts/pieces.ts'
import type { Rule } from './parts/rule.ts'

/** The first of the largest entries of a window takes its gradient, as in PyTorch. */
export const MaxPool: Rule = ({ ops, node, x: [x], y: [y], dy, optional }) => {
  const spans = spansOf(windowOf(node, listOf(node, 'kernel_shape', []), x.shape))
  if (numberOf(node, 'storage_order', 0) !== 0)
    throw new Error(`no gradient for ${describe(node)} in column-major order`)
  const winners = optional(1, { type: 'int64', shape: y.shape })
  const overlap = spans.some(({ k, stride, dilation }) => (k - 1) * dilation + 1 > stride)
  // Indices count entries of the whole tensor: [n, c, oh, ow] -> [n * c * h * w]
  const flat = { ...x, shape: [sizeOf(x.shape)] }
  const size = [sizeOf(dy.shape)]
  const sum = ops.ScatterElements(
    zerosLike(ops, flat),
    ops.Reshape(winners, size),
    ops.Reshape(dy, size),
    0,
    overlap ? 'add' : 'none',
  )
  return [ops.Reshape(sum, x.shape)]
}

/** How many entries each window averages: [1, 1, oh, ow]. */
function windowCounts(window: Window, input: readonly number[], output: readonly number[]) {
  const perAxis = spansOf(window).map(({ k, stride, dilation, begin }, i) =>
    Array.from({ length: at(output, i) }, (_, place) => {
      const taps = Array.from({ length: k }, (_, tap) => place * stride - begin + tap * dilation)
      return taps.filter((tap) => tap >= 0 && tap < at(input, i)).length
    }),
  )
  return perAxis.reduce<number[]>((counts, axis) => counts.flatMap((count) => axis.map((own) => count * own)), [1])
}

/** Whether a window of ceil_mode reaches beyond the padded input. */
const overhangs = (window: Window, input: readonly number[], output: readonly number[]) =>
  spansOf(window).some(
    ({ k, stride, dilation, begin, end }, i) =>
      (at(output, i) - 1) * stride + (k - 1) * dilation + 1 > at(input, i) + begin + end,
  )

/** Spreads [n, c, oh, ow] over the windows: every entry of a window gets the window's value. */
function spreadOverWindows(ops: Ops, dy: Value, window: Window, input: Value): Value {
  const [n, c, ...output] = dy.shape as [number, number, ...number[]]
  const { kernel, strides, dilations } = window
  const spans = spansOf(window)
  const whole = spans.map(({ k, stride, dilation }, i) => (at(output, i) - 1) * stride + (k - 1) * dilation + 1)
  // Windows side by side are blocks: [oh, ow] -> [oh, 1, ow, 1] -> [oh, kh, ow, kw] -> [oh * kh, ow * kw]
  const blocks = () => {
    const split = ops.Reshape(dy, [n * c, ...output.flatMap((extent) => [extent, 1])])
    const full = ops.Expand(split, [n * c, ...output.flatMap((extent, i) => [extent, at(kernel, i)])])
    return ops.Reshape(full, [n, c, ...whole])
  }
  const transposed = () => {
    const ones = ops.Expand(ops.scalar(dy.type, 1), [1, 1, ...kernel])
    const map = ops.ConvTranspose(ops.Reshape(dy, [n * c, 1, ...output]), ones, { strides, dilations })
    return ops.Reshape(map, [n, c, ...whole])
  }
  const sideBySide = spans.every(({ k, stride, dilation }) => k === stride && (dilation === 1 || k === 1))
  const begins = spans.map(({ begin }) => -begin)
  const ends = spans.map(({ begin }, i) => at(input.shape, i + 2) + begin - at(whole, i))
  return padOrCrop(ops, sideBySide ? blocks() : transposed(), [0, 0, ...begins, 0, 0, ...ends])
}

export const AveragePool: Rule = ({ ops, node, x: [x], dy }) => {
  const window = windowOf(node, listOf(node, 'kernel_shape', []), x.shape)
  const [input, output] = [x.shape.slice(2), dy.shape.slice(2)]
  const countsPads = numberOf(node, 'count_include_pad', 0) === 1
  if (countsPads && overhangs(window, input, output)) {
    throw new Error(`no gradient for ${describe(node)} with count_include_pad where ceil_mode leaves the padded input`)
  }
  const counts = countsPads ? [sizeOf(window.kernel)] : windowCounts(window, input, output)
  const share = counts.every((count) => count === counts[0])
    ? ops.Div(dy, at(counts, 0))
    : ops.Div(dy, ops.constant(tensor(dy.type, [1, 1, ...output], arrays[dy.type as 'float32'].from(counts)), 'counts'))
  return [spreadOverWindows(ops, share, window, x)]
}

export const GlobalAveragePool: Rule = ({ ops, x: [x], dy }) => [
  ops.Expand(ops.Div(dy, sizeOf(x.shape.slice(2))), x.shape),
]

/** The first of the largest entries of a map takes its gradient. */
export const GlobalMaxPool: Rule = ({ ops, x: [x], dy }) => {
  const [n, c, ...spatial] = x.shape as [number, number, ...number[]]
  const maps = ops.Reshape(x, [n, c, sizeOf(spatial)])
  const winners = ops.emit('ArgMax', [maps], { axis: 2 })[0]
  return [ops.Reshape(ops.ScatterElements(zerosLike(ops, maps), winners, ops.Reshape(dy, [n, c, 1]), 2), x.shape)]
}
