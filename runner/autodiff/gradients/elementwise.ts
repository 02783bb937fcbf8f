/** Gradients of element-wise ops: dL/dx = dL/dy * dy/dx. */
import type { Rule } from '../rule.ts'

export const Identity: Rule = ({ dy }) => [dy]
export const Add: Rule = ({ dy }) => [dy, dy]
export const Sub: Rule = ({ ops, dy, needs }) => [dy, needs(1) ? ops.Neg(dy) : null]
export const Mul: Rule = ({ ops, x: [a, b], dy, needs }) => [
  needs(0) ? ops.Mul(dy, b!) : null,
  needs(1) ? ops.Mul(dy, a!) : null,
]
export const Relu: Rule = ({ ops, y: [y], dy }) => [ops.Where(ops.Greater(y!, 0), dy, 0)]
