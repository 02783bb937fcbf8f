/** Gradients of convolutions. No standard op computes a weight gradient, so it's a function of the domain `palimpsest`. */

import { at, withInputs } from '../../onnx/arity.ts'
import { callFunction } from '../../onnx/functions.ts'
import { numberOf, type Value } from '../../onnx/graph.ts'
import type { Ops } from '../../onnx/ops.ts'
import { floats, sizeOf } from '../../onnx/tensor.ts'
import { spansOf, transposedWindowOf, type Window, windowOf } from '../../onnx/windows.ts'
import type { Rule } from './parts/rule.ts'

/** Input maps at least this wide take the crossed formulation of a weight gradient: its products are (w + 2) / w as long, which
 *  on narrow maps costs more than fewer copies save (measured on two AVX-512 cores at batch 64). */
const WIDE_MAP = 16
/** Maps of at most this many points are examples of one channel rather than channels of one example to the convolution that
 *  cuts out taps: it has fewer and longer calls then (0.5 against 0.7 ms for 32 channels at 7x7, 1.5 against 0.8 at 14x14). */
const SMALL_MAP = 64

const attributesOf = ({ strides, pads, dilations }: Window, group: number) => ({ strides, pads, dilations, group })
const nameOf = (...parts: unknown[]) => parts.map((part) => (Array.isArray(part) ? part.join('x') : part)).join('_')

/** What each tap of a kernel sees of each channel: [n, c, ...] -> [n, c * taps, ...]. A convolution of every channel with kernels
 *  that hold a single 1 is im2col on all threads; slices and their concatenation run on one, and took 1.4 to 1.9 times as long.
 *  `order` says which tap comes when. */
function tapsOf(ops: Ops, x: Value, window: Window, order?: readonly number[]): Value {
  const { kernel, strides, dilations, pads } = window
  const [n, c, ...extents] = x.shape as [number, number, ...number[]]
  const taps = sizeOf(kernel)
  if (taps === 1 && strides.every((stride) => stride === 1) && pads.every((pad) => pad === 0)) return x
  const picks = Float32Array.from({ length: taps * taps }, (_, i) => {
    const row = Math.floor(i / taps)
    return (order?.[row] ?? row) === i % taps ? 1 : 0
  })
  const weight = ops.Cast(ops.constant(floats([taps, 1, ...kernel], picks), 'taps'), x.type)
  if (sizeOf(extents) <= SMALL_MAP) {
    const seen = ops.Conv(ops.Reshape(x, [n * c, 1, ...extents]), weight, null, { strides, dilations, pads })
    return ops.Reshape(seen, [n, c * taps, ...seen.shape.slice(2)])
  }
  const each = ops.Expand(ops.Reshape(weight, [1, taps, 1, ...kernel]), [c, taps, 1, ...kernel])
  return ops.Conv(x, ops.Reshape(each, [c * taps, 1, ...kernel]), null, attributesOf(window, c))
}

/** Sum over examples of a b^T; a [n, ...g, rows, points], b [n, ...g, columns, points]. */
const sumOfProducts = (ops: Ops, a: Value, b: Value): Value => {
  const rank = a.shape.length
  const swapped = [...a.shape.keys()].slice(0, -2).concat(rank - 1, rank - 2)
  return ops.ReduceSum(ops.MatMul(a, ops.Transpose(b, swapped)), [0], 0)
}

/** dL/dw of a convolution. [n, c, ...], [n, o, ...] -> [o, c / group, ...kernel] */
function convGradWeight(ops: Ops, input: Value, gradient: Value, window: Window, group: number): Value {
  const { kernel, strides, pads, dilations } = window
  const [n, c] = input.shape as [number, number]
  const o = at(gradient.shape, 1)
  const [extents, input2d] = [gradient.shape.slice(2), input.shape.slice(2)]
  const points = sizeOf(extents)
  const taps = sizeOf(kernel)
  const dense = group === 1 && [...strides, ...dilations].every((step) => step === 1)
  const [k = 1, kw = 1] = kernel
  const [, wide = 0] = input2d

  /** Rows of the kernel shift the input, its columns the gradient: products of all pairs are the products at all taps, from
   *  k * c + k * o maps rather than k^2 * c. dw[o, c, i, j] = sum_p dy[o, p - j] x[c, p + i] */
  const crossed = (inner: Ops, x: Value, dy: Value): Value => {
    const [top, left, bottom, right] = pads as [number, number, number, number]
    const across = wide + left + right
    const one = { strides: [1, 1], dilations: [1, 1] }
    // [n, c * k, oh, across] and [n, o * kw, oh, across]
    const rows = tapsOf(inner, x, { ...one, kernel: [k, 1], pads: [top, left, bottom, right] })
    const mirrored = Array.from({ length: kw }, (_, j) => kw - 1 - j)
    const columns = tapsOf(inner, dy, { ...one, kernel: [1, kw], pads: [0, kw - 1, 0, kw - 1] }, mirrored)
    const long = at(extents, 0) * across
    const product = sumOfProducts(
      inner,
      inner.Reshape(columns, [n, o * kw, long]),
      inner.Reshape(rows, [n, c * k, long]),
    )
    return inner.Transpose(inner.Reshape(product, [o, kw, c, k]), [0, 2, 3, 1])
  }
  /** One product per example, summed: small while there are fewer output channels than points. */
  const batched = (inner: Ops, x: Value, dy: Value): Value => {
    const columns = inner.Reshape(tapsOf(inner, x, window), [n, group, (c / group) * taps, points])
    const product = sumOfProducts(inner, columns, inner.Reshape(dy, [n, group, o / group, points]))
    return inner.Reshape(inner.Transpose(product, [0, 2, 1]), [o, c / group, ...kernel]) // [g, o/g, c/g * taps]
  }
  /** One product over examples and points together. */
  const joined = (inner: Ops, x: Value, dy: Value): Value => {
    const together = (value: Value, rows: number) =>
      inner.Reshape(inner.Transpose(inner.Reshape(value, [n, rows, points]), [1, 0, 2]), [rows, n * points])
    const columns = together(tapsOf(inner, x, window), c * taps)
    return inner.Reshape(inner.Gemm(together(dy, o), columns, null, { transB: 1 }), [o, c, ...kernel])
  }
  const [product] = callFunction(
    ops,
    {
      name: 'ConvGradWeight',
      variant: nameOf(input.shape, gradient.shape, kernel, strides, pads, dilations, group),
      inputs: [input, gradient],
      attributes: { kernel_shape: kernel, ...attributesOf(window, group) },
    },
    (inner, [x, dy]) => {
      if (dense && kernel.length === 2 && taps > 1 && wide >= WIDE_MAP) return [crossed(inner, x, dy)]
      return [group > 1 || o <= points ? batched(inner, x, dy) : joined(inner, x, dy)]
    },
  )
  return product
}

/** dL/dx of a convolution. [n, o, ...] -> [n, c, ...] With stride 1 it's a convolution with flipped weights, which takes half to
 *  nine tenths of ConvTranspose's time. */
function convGradInput(ops: Ops, x: Value, w: Value, dy: Value, window: Window, group: number): Value {
  const { strides, dilations } = window
  const spans = spansOf(window).map((span) => ({ ...span, reach: (span.k - 1) * span.dilation }))
  const mirrored = [...spans.map(({ reach, begin }) => reach - begin), ...spans.map(({ reach, end }) => reach - end)]
  if (group === 1 && strides.every((stride) => stride === 1) && mirrored.every((pad) => pad >= 0)) {
    return ops.Conv(dy, turned(ops, w), null, { pads: mirrored, dilations })
  }
  const outputPadding = spans.map(({ stride, reach, begin, end }, i) => {
    const reached = stride * (at(dy.shape, i + 2) - 1) + reach + 1 - begin - end
    return at(x.shape, i + 2) - reached
  })
  return ops.ConvTranspose(dy, w, { ...attributesOf(window, group), output_padding: outputPadding })
}

/** [o, c, ...kernel] -> [c, o, ...kernel], every kernel turned about its middle. */
function turned(ops: Ops, w: Value): Value {
  const [o, c, ...kernel] = w.shape as [number, number, ...number[]]
  const taps = sizeOf(kernel)
  const swapped = ops.Transpose(ops.Reshape(w, [o, c, taps]), [1, 0, 2])
  const backwards = taps === 1 ? swapped : ops.Slice(swapped, [-1], [-1 - taps], [2], [-1])
  return ops.Reshape(backwards, [c, o, ...kernel])
}

const sumOverPoints = (ops: Ops, dy: Value): Value =>
  ops.ReduceSum(
    dy,
    dy.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis])),
    0,
  )

export const Conv: Rule = withInputs(2, ({ ops, node, x: [x, w, b], dy, needs }) => {
  const window = windowOf(node, w.shape.slice(2), x.shape)
  const group = numberOf(node, 'group', 1)
  return [
    needs(0) ? convGradInput(ops, x, w, dy, window, group) : null,
    needs(1) ? convGradWeight(ops, x, dy, window, group) : null,
    ...(b ? [needs(2) ? sumOverPoints(ops, dy) : null] : []),
  ]
})

/** y = ConvTranspose(x, w) is the input gradient of a convolution, so its own input gradient is that convolution. */
export const ConvTranspose: Rule = withInputs(2, ({ ops, node, x: [x, w, b], dy, needs }) => {
  const { window } = transposedWindowOf(node, w.shape.slice(2), x.shape)
  const group = numberOf(node, 'group', 1)
  return [
    needs(0) ? ops.Conv(dy, w, null, attributesOf(window, group)) : null,
    needs(1) ? convGradWeight(ops, dy, x, window, group) : null,
    ...(b ? [needs(2) ? sumOverPoints(ops, dy) : null] : []),
  ]
})
