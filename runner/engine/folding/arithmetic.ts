/** Arithmetic of numbers. Integers wrap around, as in onnxruntime, and divide towards zero. */
import { withInputs } from '../onnx/arity.ts'
import { numberOf, stringOf } from '../onnx/graph.ts'
import { numbersOf } from '../onnx/tensor.ts'
import { broadcastPlaces, entrywise } from './entrywise.ts'
import { type Fold, firstOf, made, outputOf } from './rule.ts'

const absolute = (a: bigint) => (a < 0n ? -a : a)
const larger = (a: bigint, b: bigint) => (a > b ? a : b)
const smaller = (a: bigint, b: bigint) => (a < b ? a : b)

export const Add = entrywise({ real: (a, b) => a + b, whole: (a, b) => a + b })
export const Sub = entrywise({ real: (a, b) => a - b, whole: (a, b) => a - b })
export const Mul = entrywise({ real: (a, b) => a * b, whole: (a, b) => a * b })
export const Div = entrywise({ real: (a, b) => a / b, whole: (a, b) => a / b })
export const Neg = entrywise({ real: (a) => -a, whole: (a) => -a })
export const Abs = entrywise({ real: Math.abs, whole: absolute })
export const Sign = entrywise({ real: Math.sign, whole: (a) => (a > 0n ? 1n : a < 0n ? -1n : 0n) })
export const Max = entrywise({ real: Math.max, whole: (...all) => all.reduce(larger) })
export const Min = entrywise({ real: Math.min, whole: (...all) => all.reduce(smaller) })
export const Sum = entrywise({ real: (...all) => all.reduce((a, b) => a + b) })
export const Mean = entrywise({ real: (...all) => all.reduce((a, b) => a + b) / all.length })
export const Floor = entrywise({ real: Math.floor })
export const Ceil = entrywise({ real: Math.ceil })
export const Sqrt = entrywise({ real: Math.sqrt })
export const Reciprocal = entrywise({ real: (a) => 1 / a })
/** Halves go to the even neighbour. */
export const Round = entrywise({
  real: (a) => (Math.abs(a % 1) === 0.5 ? 2 * Math.round(a / 2) : Math.round(a)),
})

/** The remainder has the sign of the divisor; with fmod, that of the dividend. */
export const Mod: Fold = (context) =>
  (numberOf(context.node, 'fmod', 0) === 1
    ? entrywise({ real: (a, b) => a % b, whole: (a, b) => a % b })
    : entrywise({ whole: (a, b) => ((a % b) + b) % b }))(context)

/** Of the base's type, whatever that of the exponent; powers of integers go through floats, as in onnxruntime. */
export const Pow: Fold = withInputs(2, (context) => {
  const [base, exponent] = context.x
  const powers = numbersOf(exponent)
  const bases = numbersOf(base)
  const { shape } = outputOf(context)
  const [places, powerPlaces] = [broadcastPlaces(base.shape, shape), broadcastPlaces(exponent.shape, shape)]
  return [made(base.type, shape, (i) => bases[places[i]!]! ** powers[powerPlaces[i]!]!)]
})

/** Either bound may be absent. */
export const Clip: Fold = ({ x: [x, low, high] }) => {
  const [least, most] = [low && firstOf(low), high && firstOf(high)]
  return [
    made(x.type, x.shape, (i) => {
      const entry = x.data[i]!
      const raised = least !== undefined && entry < least ? least : entry
      return most !== undefined && raised > most ? most : raised
    }),
  ]
}

export const BitShift: Fold = (context) =>
  entrywise({ whole: stringOf(context.node, 'direction', '') === 'LEFT' ? (a, b) => a << b : (a, b) => a >> b })(
    context,
  )
export const BitwiseAnd = entrywise({ whole: (a, b) => a & b })
export const BitwiseOr = entrywise({ whole: (a, b) => a | b })
export const BitwiseXor = entrywise({ whole: (a, b) => a ^ b })
export const BitwiseNot = entrywise({ whole: (a) => ~a })
