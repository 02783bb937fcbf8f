/** Gradients of normalisation layers: y = xh * scale + bias with xh = (x - mean) / sqrt(variance + epsilon). */

import { at, withInputs } from '../../onnx/arity.ts'
import { normalAxis } from '../../onnx/geometry.ts'
import { numberOf, type Value } from '../../onnx/graph.ts'
import type { Ops } from '../../onnx/ops.ts'
import type { Rule } from './parts/rule.ts'

/** xh and 1 / sqrt(variance + epsilon) from the statistics of x over `axes`. */
function standardize(ops: Ops, x: Value, axes: readonly number[], epsilon: number) {
  const centred = ops.Sub(x, ops.ReduceMean(x, axes))
  const variance = ops.ReduceMean(ops.Mul(centred, centred), axes)
  const inverse = ops.Reciprocal(ops.Sqrt(ops.Add(variance, epsilon)))
  return { xh: ops.Mul(centred, inverse), inverse }
}

/** Gradient for x from that of xh, when mean and variance come from x itself:
 *  dx = (g - mean(g) - xh * mean(g * xh)) / sqrt(variance + epsilon) */
function throughStatistics(ops: Ops, g: Value, xh: Value, inverse: Value, axes: readonly number[]): Value {
  const centred = ops.Sub(g, ops.ReduceMean(g, axes))
  return ops.Mul(inverse, ops.Sub(centred, ops.Mul(xh, ops.ReduceMean(ops.Mul(g, xh), axes))))
}

/** [c] -> [1, c, 1, ...], to meet [n, c, ...]. */
const perChannel = (ops: Ops, value: Value, rank: number): Value =>
  ops.Reshape(value, [1, at(value.shape, 0), ...Array(rank - 2).fill(1)])

/** Sums [n, c, ...] to [c]. */
function channelSums(ops: Ops, value: Value): Value {
  const axes = [...value.shape.keys()].filter((axis) => axis !== 1)
  return ops.ReduceSum(value, axes, 0)
}

export const BatchNormalization: Rule = withInputs(5, ({ ops, node, x: [x, scale, , mean, variance], dy, needs }) => {
  const rank = x.shape.length
  const epsilon = numberOf(node, 'epsilon', 1e-5)
  const dScale = (xh: Value) => (needs(1) ? channelSums(ops, ops.Mul(dy, xh)) : null)
  const dBias = () => (needs(2) ? channelSums(ops, dy) : null)
  const g = ops.Mul(dy, perChannel(ops, scale, rank))
  if (numberOf(node, 'training_mode', 0) === 1) {
    const axes = [...x.shape.keys()].filter((axis) => axis !== 1)
    const { xh, inverse } = standardize(ops, x, axes, epsilon)
    return [needs(0) ? throughStatistics(ops, g, xh, inverse, axes) : null, dScale(xh), dBias()]
  }
  const inverse = ops.Reciprocal(ops.Sqrt(ops.Add(perChannel(ops, variance, rank), epsilon)))
  const dx = ops.Mul(g, inverse)
  const xh = () => ops.Mul(ops.Sub(x, perChannel(ops, mean, rank)), inverse)
  // d(variance) = -1/2 * sum(g * xh) / (variance + epsilon)
  const dVariance = () => channelSums(ops, ops.Mul(ops.Mul(ops.Mul(dx, xh()), inverse), -0.5))
  return [
    dx,
    needs(1) ? dScale(xh()) : null,
    dBias(),
    needs(3) ? ops.Neg(channelSums(ops, dx)) : null,
    needs(4) ? dVariance() : null,
  ]
})

/** Statistics over the last axes, from `axis` on; scale and bias have the shape of those axes. */
export const LayerNormalization: Rule = withInputs(2, ({ ops, node, x: [x, scale], dy, needs }) => {
  const first = normalAxis(numberOf(node, 'axis', -1), x.shape.length)
  const axes = [...x.shape.keys()].slice(first)
  const { xh, inverse } = standardize(ops, x, axes, numberOf(node, 'epsilon', 1e-5))
  return [
    needs(0) ? throughStatistics(ops, ops.Mul(dy, scale), xh, inverse, axes) : null,
    needs(1) ? ops.Mul(dy, xh) : null,
    needs(2) ? dy : null,
  ]
})
