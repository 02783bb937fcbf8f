/** Gradients of element-wise ops: dL/dx = dL/dy * dy/dx. The walk sums what was broadcast. */
import { withInputs } from '../../onnx/arity.ts'
import type { Value } from '../../onnx/graph.ts'
import { numbersOf } from '../../onnx/tensor.ts'
import type { Rule } from './parts/rule.ts'

export const Identity: Rule = ({ dy }) => [dy]
/** Its output counts as a constant. */
export const StopGradient = null
export const Add: Rule = ({ dy }) => [dy, dy]
export const Sub: Rule = ({ ops, dy, needs }) => [dy, needs(1) ? ops.Neg(dy) : null]
export const Mul: Rule = withInputs(2, ({ ops, x: [a, b], dy, needs }) => [
  needs(0) ? ops.Mul(dy, b) : null,
  needs(1) ? ops.Mul(dy, a) : null,
])
export const Div: Rule = withInputs(2, ({ ops, x: [, b], y: [y], dy, needs }) => {
  const da = ops.Div(dy, b)
  return [da, needs(1) ? ops.Neg(ops.Mul(da, y)) : null]
})
export const Neg: Rule = ({ ops, dy }) => [ops.Neg(dy)]
export const Abs: Rule = ({ ops, x: [x], dy }) => [ops.Mul(dy, ops.Sign(x))]
export const Exp: Rule = ({ ops, y: [y], dy }) => [ops.Mul(dy, y)]
export const Log: Rule = ({ ops, x: [x], dy }) => [ops.Div(dy, x)]
export const Sqrt: Rule = ({ ops, y: [y], dy }) => [ops.Div(ops.Mul(dy, 0.5), y)]
export const Reciprocal: Rule = ({ ops, y: [y], dy }) => [ops.Neg(ops.Mul(dy, ops.Mul(y, y)))]
export const Sin: Rule = ({ ops, x: [x], dy }) => [ops.Mul(dy, ops.Cos(x))]
export const Cos: Rule = ({ ops, x: [x], dy }) => [ops.Neg(ops.Mul(dy, ops.Sin(x)))]
export const Erf: Rule = ({ ops, x: [x], dy }) => [
  ops.Mul(dy, ops.Mul(ops.Exp(ops.Neg(ops.Mul(x, x))), 2 / Math.sqrt(Math.PI))),
]
export const Sum: Rule = ({ x, dy }) => x.map(() => dy)
export const Mean: Rule = ({ ops, x, dy }) => x.map(() => ops.Div(dy, x.length))
export const Where: Rule = withInputs(3, ({ ops, x: [condition], dy, needs }) => [
  null,
  needs(1) ? ops.Where(condition, dy, 0) : null,
  needs(2) ? ops.Where(condition, 0, dy) : null,
])
/** An integer passes no gradient on. */
export const Cast: Rule = ({ ops, x: [x], dy }) => [x.type.startsWith('float') ? ops.Cast(dy, x.type) : null]

/** As in PyTorch, x^0 is flat everywhere, at x = 0 as well, and 0^p doesn't change with a p that is not negative. */
export const Pow: Rule = withInputs(2, ({ ops, x: [x, exponent], y: [y], dy, needs, constant }) => {
  const content = constant(1)
  const powers = content ? numbersOf(content) : undefined
  const fixed = powers?.length === 1 ? powers[0] : undefined
  const power = ops.Cast(exponent, x.type)
  const slope = () => {
    if (fixed === 2) return ops.Mul(x, 2)
    if (fixed !== undefined && fixed !== 0) return ops.Mul(power, ops.Pow(x, fixed - 1))
    // 0 * 0^-1 is no number, so that a power of 0 counts as one of 1 there.
    if (powers?.every((one) => one !== 0)) return ops.Mul(power, ops.Pow(x, ops.Sub(power, 1)))
    return ops.Mul(power, ops.Pow(x, ops.Sub(ops.Where(ops.Equal(power, 0), 1, power), 1)))
  }
  // y * log(x), and 0 rather than 0 * -inf where x is 0.
  const rate = () => {
    const still = ops.And(ops.Equal(x, 0), ops.GreaterOrEqual(power, 0))
    return ops.Mul(y, ops.Log(ops.Where(still, 1, x)))
  }
  return [needs(0) ? ops.Mul(dy, slope()) : null, needs(1) ? ops.Cast(ops.Mul(dy, rate()), exponent.type) : null]
})

/** Inside the bounds, both included, the gradient passes; outside it belongs to the bound. */
export const Clip: Rule = ({ ops, x: [x, low, high], dy, needs }) => {
  const pass = (condition: Value, gradient: Value) => ops.Where(condition, gradient, 0)
  const fromBelow = low ? pass(ops.GreaterOrEqual(x, low), dy) : dy
  return [
    high ? pass(ops.LessOrEqual(x, high), fromBelow) : fromBelow,
    low && needs(1) ? pass(ops.Less(x, low), dy) : null,
    high && needs(2) ? pass(ops.Greater(x, high), dy) : null,
  ]
}

/** Inputs that tie for the extreme share its gradient equally, as PyTorch's `maximum` does. */
const extreme: Rule = ({ ops, x, y: [y], dy, needs }) => {
  const wins = x.map((input) => ops.Equal(input, y))
  const winners = wins.map((win) => ops.Cast(win, dy.type)).reduce((sum, win) => ops.Add(sum, win))
  const share = ops.Div(dy, winners)
  return wins.map((win, index) => (needs(index) ? ops.Where(win, share, 0) : null))
}
export const Max = extreme
export const Min = extreme

/** Steps are flat: the gradient is zero wherever it exists. */
const flat: Rule = ({ ops, dy }) => [ops.Mul(dy, 0)]
export const Sign = flat
export const Floor = flat
export const Ceil = flat
export const Round = flat

export const CumSum: Rule = withInputs(2, ({ ops, node, x: [, axis], dy }) => {
  const { exclusive, reverse } = node.attributes
  const backwards = reverse?.value === 1 ? 0 : 1
  return ops.emit('CumSum', [dy, axis], { ...(exclusive && { exclusive }), reverse: backwards })
})
