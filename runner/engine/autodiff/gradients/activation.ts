/** Gradients of activations, element by element. */
import { withInputs } from '../../onnx/arity.ts'
import { numberOf, stringOf, type Value } from '../../onnx/graph.ts'
import type { Ops } from '../../onnx/ops.ts'
import type { Rule } from './parts/rule.ts'

/** 1 where y > 0, else 0, in one pass on all threads: a comparison and Where took three times as long as this and a product. */
const positive = (ops: Ops, y: Value): Value => ops.emit('HardSigmoid', [y], { alpha: 1e38, beta: 0 })[0]
export const Relu: Rule = ({ ops, y: [y], dy }) => [ops.Mul(dy, positive(ops, y))]
export const LeakyRelu: Rule = ({ ops, node, x: [x], dy }) => [
  ops.Where(ops.Greater(x, 0), dy, ops.Mul(dy, numberOf(node, 'alpha', 0.01))),
]
export const PRelu: Rule = withInputs(2, ({ ops, x: [x, slope], dy, needs }) => {
  const positive = ops.Greater(x, 0)
  return [
    needs(0) ? ops.Where(positive, dy, ops.Mul(dy, slope)) : null,
    needs(1) ? ops.Where(positive, 0, ops.Mul(dy, x)) : null,
  ]
})
export const Elu: Rule = ({ ops, node, x: [x], y: [y], dy }) => [
  ops.Where(ops.Greater(x, 0), dy, ops.Mul(dy, ops.Add(y, numberOf(node, 'alpha', 1)))),
]
export const Selu: Rule = ({ ops, node, x: [x], y: [y], dy }) => {
  const alpha = numberOf(node, 'alpha', 1.6732632423543772)
  const gamma = numberOf(node, 'gamma', 1.0507009873554805)
  return [ops.Mul(dy, ops.Where(ops.Greater(x, 0), gamma, ops.Add(y, alpha * gamma)))]
}
export const Sigmoid: Rule = ({ ops, y: [y], dy }) => [ops.Mul(dy, ops.Mul(y, ops.Sub(1, y)))]
export const Tanh: Rule = ({ ops, y: [y], dy }) => [ops.Mul(dy, ops.Sub(1, ops.Mul(y, y)))]
export const Softplus: Rule = ({ ops, x: [x], dy }) => [ops.Mul(dy, ops.Sigmoid(x))]
export const HardSigmoid: Rule = ({ ops, node, y: [y], dy }) => {
  const sloped = ops.And(ops.Greater(y, 0), ops.Less(y, 1))
  return [ops.Where(sloped, ops.Mul(dy, numberOf(node, 'alpha', 0.2)), 0)]
}
/** x * clip(x/6 + 1/2, 0, 1): slope x/3 + 1/2 between -3 and 3, then that of the identity. */
export const HardSwish: Rule = ({ ops, x: [x], dy }) => {
  const slope = ops.Where(ops.Less(x, -3), 0, ops.Add(ops.Div(x, 3), 0.5))
  return [ops.Mul(dy, ops.Where(ops.Greater(x, 3), 1, slope))]
}

/** x * Phi(x), with the normal distribution's Phi or its approximation by tanh. */
export const Gelu: Rule = ({ ops, node, x: [x], dy }) => {
  const square = ops.Mul(x, x)
  if (stringOf(node, 'approximate', 'none') === 'none') {
    const phi = ops.Mul(ops.Exp(ops.Mul(square, -0.5)), 1 / Math.sqrt(2 * Math.PI))
    const Phi = ops.Mul(ops.Add(ops.Erf(ops.Mul(x, Math.SQRT1_2)), 1), 0.5)
    return [ops.Mul(dy, ops.Add(Phi, ops.Mul(x, phi)))]
  }
  // Phi = (1 + t) / 2 with t = tanh(k (x + 0.044715 x^3))
  const k = Math.sqrt(2 / Math.PI)
  const t = ops.Tanh(ops.Mul(ops.Mul(x, ops.Add(ops.Mul(square, 0.044715), 1)), k))
  const dt = ops.Mul(ops.Sub(1, ops.Mul(t, t)), ops.Mul(ops.Add(ops.Mul(square, 3 * 0.044715), 1), k))
  return [ops.Mul(dy, ops.Mul(ops.Add(ops.Add(t, 1), ops.Mul(x, dt)), 0.5))]
}
