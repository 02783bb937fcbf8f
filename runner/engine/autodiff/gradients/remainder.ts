/** The gradient of the remainder a - b * n, with the whole number n. */
import { withInputs } from '../../onnx/arity.ts'
import type { Rule } from './parts/rule.ts'

export const Mod: Rule = withInputs(2, ({ ops, x: [a, b], y: [y], dy, needs }) => {
  const times = () => ops.emit('Round', [ops.Div(ops.Sub(a, y), b)])[0]
  return [dy, needs(1) ? ops.Neg(ops.Mul(dy, times())) : null]
})
