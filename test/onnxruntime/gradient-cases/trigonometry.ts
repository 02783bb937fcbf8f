/** Circular and hyperbolic functions: cases of their gradients. */
import { any, between, type Case, inside, unary } from './case.ts'

export const trigonometry: Record<string, Case[]> = {
  Tan: unary('Tan', any(2, 3)),
  Atan: unary('Atan', any(2, 3)),
  Asin: unary('Asin', inside(2, 3)),
  Acos: unary('Acos', inside(2, 3)),
  Sinh: unary('Sinh', any(2, 3)),
  Cosh: unary('Cosh', any(2, 3)),
  Asinh: unary('Asinh', any(2, 3)),
  Acosh: unary('Acosh', between(1.5, 3)(2, 3)),
  Atanh: unary('Atanh', inside(2, 3)),
}
