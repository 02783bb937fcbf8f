/** Batch normalization over the statistics of the batch, as a function of the domain `palimpsest`: onnxruntime's CUDA
 *  provider refuses the standard op in training mode (facts of version 1.30), and no standard op gives its gradient. */

import { callFunction } from '../../onnx/functions.ts'
import { float, numberOf, type Value } from '../../onnx/graph.ts'
import type { Ops } from '../../onnx/ops.ts'
import { sizeOf } from '../../onnx/tensor.ts'
import type { Rule } from '../rule.ts'

/** Mean over every axis but the channels, in two contiguous steps. [n, c, ...] -> [c] */
function channelMean(ops: Ops, x: Value): Value {
  const [n, c] = x.shape as [number, number]
  return ops.ReduceMean(ops.ReduceMean(ops.Reshape(x, [n, c, sizeOf(x.shape.slice(2))]), [2], 0), [0], 0)
}

const perChannel = (ops: Ops, value: Value, { shape }: Value): Value =>
  ops.Reshape(value, [value.shape[0]!, ...shape.slice(2).map(() => 1)])

/** Normalises with the batch's own mean and (population) variance. Gives y [n, c, ...], mean [c] and variance [c]. */
export function batchNormTraining(
  ops: Ops,
  x: Value,
  scale: Value,
  bias: Value,
  epsilon: number,
): [Value, Value, Value] {
  return callFunction(
    ops,
    {
      name: 'BatchNormTraining',
      variant: `${x.shape.join('x')}_${epsilon}`,
      inputs: [x, scale, bias],
      attributes: { epsilon: float(epsilon) },
    },
    (inner, [x, scale, bias]) => {
      const mean = channelMean(inner, x!)
      const centred = inner.Sub(x!, perChannel(inner, mean, x!))
      const variance = channelMean(inner, inner.Mul(centred, centred))
      const y = inner.emit('BatchNormalization', [x!, scale!, bias!, mean, variance], { epsilon: float(epsilon) })[0]!
      return [y, mean, variance]
    },
  ) as [Value, Value, Value]
}

/** With x' = (x - mean) / sqrt(variance + epsilon): dx = scale / sqrt(...) * (dy - mean(dy) - x' * mean(dy * x')).
 *  The gradient through the mean and variance outputs is not needed: they only feed running statistics. */
export const BatchNormTraining: Rule = ({ ops, node, x: [x, scale, bias], y: [, mean, variance], dy, dys, needs }) => {
  if (dys[1] || dys[2])
    throw new Error('BatchNormTraining has no gradient through its mean and variance outputs; use y only')
  const epsilon = numberOf(node, 'epsilon', 1e-5)
  const count = sizeOf(x!.shape) / x!.shape[1]!
  const [dx, dScale, dBias] = callFunction(
    ops,
    {
      name: 'BatchNormGrad',
      variant: `${x!.shape.join('x')}_${epsilon}`,
      inputs: [dy, x!, scale!, mean!, variance!],
      attributes: { epsilon: float(epsilon) },
    },
    (inner, [dy, x, scale, mean, variance]) => {
      const inverse = inner.Div(1, inner.Sqrt(inner.Add(variance!, epsilon)))
      const centred = inner.Sub(x!, perChannel(inner, mean!, x!))
      const meanDy = channelMean(inner, dy!)
      const slope = inner.Mul(channelMean(inner, inner.Mul(dy!, centred)), inner.Mul(inverse, inverse)) // mean(dy x') / sqrt(...)
      const inside = inner.Sub(
        inner.Sub(dy!, inner.Mul(centred, perChannel(inner, slope, x!))),
        perChannel(inner, meanDy, x!),
      )
      const dx = inner.Mul(inside, perChannel(inner, inner.Mul(scale!, inverse), x!))
      const dScale = inner.Mul(inner.Div(slope, inverse), count) // sum(dy x')
      return [dx, dScale, inner.Mul(meanDy, count)]
    },
  )
  return [needs(0) ? dx! : null, needs(1) ? dScale! : null, bias && needs(2) ? dBias! : null]
}
