/** Gradients of pooling over windows and over whole maps. */

import { at } from '../../onnx/arity.ts'
import { listOf, numberOf, type Value } from '../../onnx/graph.ts'
import type { Ops } from '../../onnx/ops.ts'
import { arrays, sizeOf, tensor } from '../../onnx/tensor.ts'
import { reachOf, spansOf, type Window, windowCounts, windowOf } from '../../onnx/windows.ts'
import { padOrCrop, zerosLike } from './parts/pieces.ts'
import type { Rule, RuleContext } from './parts/rule.ts'

/** The first of the largest entries of a window takes its gradient, as in PyTorch. */
export const MaxPool: Rule = ({ ops, node, x: [x], y: [y], dy, optional }) => {
  const spans = spansOf(windowOf(node, listOf(node, 'kernel_shape', []), x.shape))
  // The order of storage only concerns indices; these are row-major.
  const { storage_order: order, ...attributes } = node.attributes
  const winners = order
    ? at(ops.emit('MaxPool', [x], attributes, { outputs: 2 }), 1)
    : optional(1, { type: 'int64', shape: y.shape })
  const overlap = spans.some((span) => reachOf(span) > span.stride)
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

/** Spreads [n, c, oh, ow] over the windows: every entry of a window gets the window's value. */
function spreadOverWindows(ops: Ops, dy: Value, window: Window, input: Value): Value {
  const [n, c, ...output] = dy.shape as [number, number, ...number[]]
  const { kernel, strides, dilations } = window
  const spans = spansOf(window)
  const whole = spans.map((span, i) => (at(output, i) - 1) * span.stride + reachOf(span))
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
  const output = dy.shape.slice(2)
  const counts = windowCounts(window, x.shape.slice(2), output, numberOf(node, 'count_include_pad', 0) === 1)
  const share = counts.every((count) => count === counts[0])
    ? ops.Div(dy, at(counts, 0))
    : ops.Div(dy, ops.constant(tensor(dy.type, [1, 1, ...output], arrays[dy.type as 'float32'].from(counts)), 'counts'))
  return [spreadOverWindows(ops, share, window, x)]
}

/** y = (sum |x|^p)^(1/p), so dx = sign(x) |x|^(p - 1) times dy y^(1 - p) of every window that x is in; `spread` sums these. Where y
 *  is 0 so are all x of the window: the gradient is zero, as in PyTorch. */
function normGradient({ ops, node, x: [x], y: [y], dy }: RuleContext, spread: (value: Value) => Value): Value {
  const p = numberOf(node, 'p', 2)
  const positive = ops.Where(ops.Equal(y, 0), 1, y)
  const perWindow = p === 1 ? dy : ops.Where(ops.Equal(y, 0), 0, ops.Mul(dy, ops.Pow(positive, 1 - p)))
  const slope = p === 1 ? ops.Sign(x) : p === 2 ? x : ops.Mul(ops.Sign(x), ops.Pow(ops.Abs(x), p - 1))
  return ops.Mul(slope, spread(perWindow))
}

export const LpPool: Rule = (context) => {
  const { ops, node, x } = context
  const window = windowOf(node, listOf(node, 'kernel_shape', []), x[0].shape)
  return [normGradient(context, (value) => spreadOverWindows(ops, value, window, x[0]))]
}

export const GlobalLpPool: Rule = (context) => [normGradient(context, (value) => value)]

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
