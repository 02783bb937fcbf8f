/** Gradients of activations with a threshold, or that flatten out. */
import { numberOf } from '../../onnx/graph.ts'
import type { Rule } from './parts/rule.ts'

/** x where it's above alpha, else 0. */
export const ThresholdedRelu: Rule = ({ ops, node, x: [x], dy }) => [
  ops.Where(ops.Greater(x, numberOf(node, 'alpha', 1)), dy, 0),
]
/** x / (1 + |x|) */
export const Softsign: Rule = ({ ops, x: [x], dy }) => {
  const wide = ops.Add(ops.Abs(x), 1)
  return [ops.Div(dy, ops.Mul(wide, wide))]
}
/** x above 0, alpha * (e^(x / alpha) - 1) below. */
export const Celu: Rule = ({ ops, node, x: [x], y: [y], dy }) => [
  ops.Where(ops.Greater(x, 0), dy, ops.Mul(dy, ops.Add(ops.Div(y, numberOf(node, 'alpha', 1)), 1))),
]
/** One at the first of the largest: flat. */
export const Hardmax: Rule = ({ ops, dy }) => [ops.Mul(dy, 0)]
