/** Batch normalization over the statistics of the batch, as a function of the domain `palimpsest`: onnxruntime's CUDA
 *  provider refuses the standard op in training mode (facts of version 1.30), and no standard op gives its gradient. */

import { at, withInputs } from '../../onnx/arity.ts'
import { callFunction } from '../../onnx/functions.ts'
import { float, numberOf, type Value } from '../../onnx/graph.ts'
import type { Ops } from '../../onnx/ops.ts'
import { sizeOf } from '../../onnx/tensor.ts'
import { affine, zerosLike } from './parts/pieces.ts'
import type { Rule } from './parts/rule.ts'

/** Mean over every axis but the channels, in two contiguous steps. [n, c, ...] -> [c] */
function channelMean(ops: Ops, x: Value): Value {
  const [n, c] = x.shape as [number, number]
  return ops.ReduceMean(ops.ReduceMean(ops.Reshape(x, [n, c, sizeOf(x.shape.slice(2))]), [2], 0), [0], 0)
}

const perChannel = (ops: Ops, value: Value, { shape }: Value): Value =>
  ops.Reshape(value, [at(value.shape, 0), ...shape.slice(2).map(() => 1)])

/** Normalises with the batch's own mean and (population) variance. Gives y [n, c, ...], mean [c] and variance [c]. */
export function batchNormTraining(
  ops: Ops,
  x: Value,
  scale: Value,
  bias: Value,
  epsilon: number,
): [Value, Value, Value] {
  const [y, mean, variance] = callFunction(
    ops,
    {
      name: 'BatchNormTraining',
      variant: `${x.shape.join('x')}_${epsilon}`,
      inputs: [x, scale, bias],
      attributes: { epsilon: float(epsilon) },
    },
    (inner, [x, scale, bias]) => {
      const mean = channelMean(inner, x)
      const centred = inner.Sub(x, perChannel(inner, mean, x))
      const variance = channelMean(inner, inner.Mul(centred, centred))
      const y = affine(inner, x, { scale, bias, mean, variance }, epsilon)
      return [y, mean, variance, centred]
    },
  )
  return [y, mean, variance]
}

/** With x' = (x - mean) / s, s = sqrt(variance + epsilon): dx = scale / s * (dy - mean(dy) - x' * mean(dy * x')), in three passes:
 *  a product with dy, an affine map of x - mean, and their sum.
 *  The gradient through the mean and variance outputs is not needed: they only feed running statistics. */
export const BatchNormTraining: Rule = withInputs(3, ({ ops, node, x: [x, scale], y, dy, dys, needs }) => {
  if (dys[1] || dys[2])
    throw new Error('BatchNormTraining has no gradient through its mean and variance outputs; use y only')
  const epsilon = numberOf(node, 'epsilon', 1e-5)
  const count = sizeOf(x.shape) / at(x.shape, 1)
  const [dx, dScale, dBias] = callFunction(
    ops,
    {
      name: 'BatchNormGrad',
      variant: `${x.shape.join('x')}_${epsilon}`,
      inputs: [dy, at(y, 3), scale, at(y, 2)],
      attributes: { epsilon: float(epsilon) },
    },
    (inner, [dy, centred, scale, variance]) => {
      const inverse = inner.Div(1, inner.Sqrt(inner.Add(variance, epsilon)))
      const factor = inner.Mul(scale, inverse)
      const meanDy = channelMean(inner, dy)
      const meanProduct = inner.Mul(channelMean(inner, inner.Mul(dy, centred)), inverse) // mean(dy x')
      const rest = {
        scale: inner.Neg(inner.Mul(factor, meanProduct)),
        bias: inner.Neg(inner.Mul(factor, meanDy)),
        mean: zerosLike(inner, meanDy),
        variance,
      }
      const dx = inner.Add(inner.Mul(dy, perChannel(inner, factor, dy)), affine(inner, centred, rest, epsilon))
      return [dx, inner.Mul(meanProduct, count), inner.Mul(meanDy, count)]
    },
  )
  return [needs(0) ? dx : null, needs(1) ? dScale : null, needs(2) ? dBias : null]
})
