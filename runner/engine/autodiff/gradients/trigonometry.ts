/** Gradients of circular and hyperbolic functions and of their inverses. */
import type { Value } from '../../onnx/graph.ts'
import type { Ops } from '../../onnx/ops.ts'
import type { Rule } from './parts/rule.ts'

const squared = (ops: Ops, x: Value): Value => ops.Mul(x, x)
const of = (ops: Ops, op: string, x: Value): Value => ops.emit(op, [x])[0]

export const Tan: Rule = ({ ops, y: [y], dy }) => [ops.Mul(dy, ops.Add(squared(ops, y), 1))]
export const Atan: Rule = ({ ops, x: [x], dy }) => [ops.Div(dy, ops.Add(squared(ops, x), 1))]
export const Asin: Rule = ({ ops, x: [x], dy }) => [ops.Div(dy, ops.Sqrt(ops.Sub(1, squared(ops, x))))]
export const Acos: Rule = ({ ops, x: [x], dy }) => [ops.Neg(ops.Div(dy, ops.Sqrt(ops.Sub(1, squared(ops, x)))))]
export const Sinh: Rule = ({ ops, x: [x], dy }) => [ops.Mul(dy, of(ops, 'Cosh', x))]
export const Cosh: Rule = ({ ops, x: [x], dy }) => [ops.Mul(dy, of(ops, 'Sinh', x))]
export const Asinh: Rule = ({ ops, x: [x], dy }) => [ops.Div(dy, ops.Sqrt(ops.Add(squared(ops, x), 1)))]
export const Acosh: Rule = ({ ops, x: [x], dy }) => [ops.Div(dy, ops.Sqrt(ops.Sub(squared(ops, x), 1)))]
export const Atanh: Rule = ({ ops, x: [x], dy }) => [ops.Div(dy, ops.Sub(1, squared(ops, x)))]
