/** Ops that make content of a few numbers. */
import { withInputs } from '../onnx/arity.ts'
import { type Entry, type Fold, firstOf, made, outputOf } from './rule.ts'

/** Steps of single precision are rounded one by one. */
export const Range: Fold = withInputs(3, (context) => {
  const { type, shape } = outputOf(context)
  const [start, , delta] = context.x.map(firstOf) as [Entry, Entry, Entry]
  let next = start
  return [
    made(type, shape, () => {
      const entry = next
      if (typeof entry === 'bigint') next = entry + BigInt(delta)
      else next = type === 'float32' ? Math.fround(entry + Number(delta)) : entry + Number(delta)
      return entry
    }),
  ]
})

export const ConstantOfShape: Fold = (context) => {
  const { value } = context.node.attributes
  const { type, shape } = outputOf(context)
  const filler = value?.kind === 'tensor' ? firstOf(value.value) : 0
  return [made(type, shape, () => filler)]
}
