/** Gradients of softmax and its logarithm, along one axis. */

import { normalAxis } from '../../onnx/geometry.ts'
import { numberOf } from '../../onnx/graph.ts'
import type { Rule, RuleContext } from './parts/rule.ts'

const axesOf = ({ node, y: [y] }: RuleContext) => [normalAxis(numberOf(node, 'axis', -1), y.shape.length)]

/** dx = y * (dy - sum(dy * y)) */
export const Softmax: Rule = (context) => {
  const {
    ops,
    y: [y],
    dy,
  } = context
  return [ops.Mul(y, ops.Sub(dy, ops.ReduceSum(ops.Mul(dy, y), axesOf(context))))]
}

/** dx = dy - softmax(x) * sum(dy) */
export const LogSoftmax: Rule = (context) => {
  const {
    ops,
    y: [y],
    dy,
  } = context
  return [ops.Sub(dy, ops.Mul(ops.Exp(y), ops.ReduceSum(dy, axesOf(context))))]
}
