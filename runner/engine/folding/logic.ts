/** Comparisons, flags, choices and changes of type. */
import { withInputs } from '../onnx/arity.ts'
import { elementTypeOf } from '../onnx/element-types.ts'
import { numberOf } from '../onnx/graph.ts'
import { broadcastPlaces, entrywise } from './entrywise.ts'
import { type Fold, made, outputOf } from './rule.ts'

export const Equal = entrywise({ real: (a, b) => a === b, whole: (a, b) => a === b }, 'bool')
export const Less = entrywise({ real: (a, b) => a < b, whole: (a, b) => a < b }, 'bool')
export const LessOrEqual = entrywise({ real: (a, b) => a <= b, whole: (a, b) => a <= b }, 'bool')
export const Greater = entrywise({ real: (a, b) => a > b, whole: (a, b) => a > b }, 'bool')
export const GreaterOrEqual = entrywise({ real: (a, b) => a >= b, whole: (a, b) => a >= b }, 'bool')
export const Not = entrywise({ whole: (a) => !a })
export const And = entrywise({ whole: (a, b) => a & b })
export const Or = entrywise({ whole: (a, b) => a | b })
export const Xor = entrywise({ whole: (a, b) => a ^ b })
export const IsNaN = entrywise({ real: Number.isNaN }, 'bool')
export const IsInf: Fold = (context) => {
  const [above, below] = ['detect_positive', 'detect_negative'].map((name) => numberOf(context.node, name, 1) === 1)
  return entrywise({ real: (a) => (above && a === Infinity) || (below && a === -Infinity) || false }, 'bool')(context)
}

export const Where: Fold = withInputs(3, (context) => {
  const { type, shape } = outputOf(context)
  const [condition, ...choices] = context.x.map(({ data, shape: own }) => ({
    data,
    places: broadcastPlaces(own, shape),
  }))
  return [
    made(type, shape, (i) => {
      const { data, places } = choices[condition!.data[condition!.places[i]!] ? 0 : 1]!
      return data[places[i]!]!
    }),
  ]
})

const converted = (x: Parameters<Fold>[0]['x'][0], type: Parameters<typeof made>[0]) => [
  made(type, x.shape, (i) => x.data[i]!),
]
export const Cast: Fold = ({ node, x: [x] }) => converted(x, elementTypeOf(numberOf(node, 'to', 1)))
export const CastLike: Fold = withInputs(2, ({ x: [x, { type }] }) => converted(x, type))
