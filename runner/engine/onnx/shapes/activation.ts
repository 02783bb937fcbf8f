/** Activations and functions of one entry each: the result has the shape of the input. */
import { same } from '../geometry.ts'

export {
  same as Acos,
  same as Acosh,
  same as Asin,
  same as Asinh,
  same as Atan,
  same as Atanh,
  same as Celu,
  same as Cosh,
  same as Hardmax,
  same as Sinh,
  same as Softsign,
  same as Tan,
  same as ThresholdedRelu,
}
