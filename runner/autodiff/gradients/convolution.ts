/** Gradients of convolutions. No standard op computes a weight gradient, so it's a function of the domain `palimpsest`. */

import { callFunction } from '../../onnx/functions.ts'
import { type Window, windowOf } from '../../onnx/geometry.ts'
import { listOf, numberOf, type Value } from '../../onnx/graph.ts'
import type { Ops } from '../../onnx/ops.ts'
import { sizeOf } from '../../onnx/tensor.ts'
import type { Rule } from '../rule.ts'

/** Output maps with at least this many points are large: there, on a CPU, batched products beat one long one, and a convolution
 *  with flipped weights beats ConvTranspose (measured on two AVX-512 cores at batch 64: 17 ms against 36 ms for 64 channels at
 *  32x32, but 25 against 19 for 256 channels at 8x8). */
const LARGE_MAP = 128

const attributesOf = ({ strides, pads, dilations }: Window, group: number) => ({ strides, pads, dilations, group })
const nameOf = (...parts: unknown[]) => parts.map((part) => (Array.isArray(part) ? part.join('x') : part)).join('_')

/** The padded input as seen through each tap of the kernel: taps x [n, c, ...output extents]. */
function tapsOf(ops: Ops, padded: Value, { kernel, strides, dilations }: Window, extents: readonly number[]): Value[] {
  const axes = kernel.map((_, i) => i + 2)
  return Array.from({ length: sizeOf(kernel) }, (_, tap) => {
    const at = kernel.map((k, i) => (Math.floor(tap / sizeOf(kernel.slice(i + 1))) % k) * dilations[i]!)
    const ends = at.map((start, i) => start + (extents[i]! - 1) * strides[i]! + 1)
    return ops.Slice(padded, at, ends, axes, strides)
  })
}

/** dL/dw of a convolution: for each tap, the product of the gradient and the input as seen through that tap.
 *  [n, c, ...], [n, o, ...] -> [o, c / group, ...kernel] */
function convGradWeight(ops: Ops, input: Value, gradient: Value, window: Window, group: number): Value {
  const { kernel, pads } = window
  const [n, c] = input.shape as [number, number]
  const o = gradient.shape[1]!
  const extents = gradient.shape.slice(2)
  const points = sizeOf(extents)
  const taps = sizeOf(kernel)
  const rank = kernel.length
  const fullPads = [0, 0, ...pads.slice(0, rank), 0, 0, ...pads.slice(rank)]

  /** One product per example, summed: small when the map is larger than the number of output channels. */
  const batched = (inner: Ops, [x, dy]: Value[]): Value[] => {
    const seen = tapsOf(inner, inner.Pad(x!, fullPads), window, extents)
    const columns = inner.Concat(
      seen.map((tap) => inner.Reshape(tap, [n, group, c / group, points])),
      2,
    ) // [n, g, taps * c/g, points]
    const product = inner.MatMul(
      inner.Reshape(dy!, [n, group, o / group, points]),
      inner.Transpose(columns, [0, 1, 3, 2]),
    )
    return [inner.ReduceSum(product, [0], 0)] // [g, o/g, taps * c/g]
  }
  /** One product over examples and points together. */
  const joined = (inner: Ops, [x, dy]: Value[]): Value[] => {
    const swap = [1, 0, ...kernel.map((_, i) => i + 2)]
    const padded = inner.Pad(inner.Transpose(x!, swap), fullPads)
    const columns = inner.Reshape(inner.Concat(tapsOf(inner, padded, window, extents), 0), [taps * c, n * points])
    return [inner.Gemm(inner.Reshape(inner.Transpose(dy!, swap), [o, n * points]), columns, null, { transB: 1 })]
  }
  const [product] = callFunction(
    ops,
    {
      name: 'ConvGradWeight',
      variant: nameOf(input.shape, gradient.shape, kernel, window.strides, pads, window.dilations, group),
      inputs: [input, gradient],
      attributes: { kernel_shape: kernel, ...attributesOf(window, group) },
    },
    (inner, inputs) => {
      const [sum] = group > 1 || (points >= LARGE_MAP && o <= points) ? batched(inner, inputs) : joined(inner, inputs)
      const byTap = inner.Transpose(inner.Reshape(sum!, [o, taps, c / group]), [0, 2, 1])
      return [inner.Reshape(byTap, [o, c / group, ...kernel])]
    },
  )
  return product!
}

/** dL/dx of a convolution. [n, o, ...] -> [n, c, ...] */
function convGradInput(ops: Ops, x: Value, w: Value, dy: Value, window: Window, group: number): Value {
  const { kernel, strides, dilations, pads } = window
  const rank = kernel.length
  const axes = kernel.map((_, i) => i + 2)
  const full = (i: number) => (kernel[i]! - 1) * dilations[i]!
  const mirrored = [...kernel.map((_, i) => full(i) - pads[i]!), ...kernel.map((_, i) => full(i) - pads[i + rank]!)]
  const dense = group === 1 && strides.every((stride) => stride === 1) && mirrored.every((pad) => pad >= 0)
  if (dense && sizeOf(dy.shape.slice(2)) >= LARGE_MAP) {
    const swapped = ops.Transpose(w, [1, 0, ...axes])
    const flipped =
      sizeOf(kernel) === 1
        ? swapped
        : ops.Slice(
            swapped,
            axes.map(() => -1),
            axes.map(() => -1 - Math.max(...kernel)),
            axes,
            axes.map(() => -1),
          )
    return ops.Conv(dy, flipped, null, { pads: mirrored, dilations })
  }
  const reached = kernel.map((_, i) => strides[i]! * (dy.shape[i + 2]! - 1) + full(i) + 1 - pads[i]! - pads[i + rank]!)
  const outputPadding = reached.map((extent, i) => x.shape[i + 2]! - extent)
  return ops.ConvTranspose(dy, w, { ...attributesOf(window, group), output_padding: outputPadding })
}

const sumOverPoints = (ops: Ops, dy: Value): Value =>
  ops.ReduceSum(
    dy,
    dy.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis])),
    0,
  )

export const Conv: Rule = ({ ops, node, x: [x, w, b], dy, needs }) => {
  const window = windowOf(node, w!.shape.slice(2), x!.shape)
  const group = numberOf(node, 'group', 1)
  return [
    needs(0) ? convGradInput(ops, x!, w!, dy, window, group) : null,
    needs(1) ? convGradWeight(ops, x!, dy, window, group) : null,
    ...(b ? [needs(2) ? sumOverPoints(ops, dy) : null] : []),
  ]
}

/** y = ConvTranspose(x, w) is the input gradient of a convolution, so its own input gradient is that convolution. */
export const ConvTranspose: Rule = ({ ops, node, x: [x, w, b], dy, needs }) => {
  if (listOf(node, 'output_shape', []).length > 0) {
    throw new Error(
      'the gradient of ConvTranspose with output_shape is not supported; give pads and output_padding instead',
    )
  }
  const window = windowOf(node, w!.shape.slice(2), x!.shape)
  const group = numberOf(node, 'group', 1)
  return [
    needs(0) ? ops.Conv(dy, w!, null, attributesOf(window, group)) : null,
    needs(1) ? convGradWeight(ops, dy, x!, window, group) : null,
    ...(b ? [needs(2) ? sumOverPoints(ops, dy) : null] : []),
  ]
}
