/** Ops whose result only depends on shapes, or on a few numbers. */
import { elementTypeOf } from '../element-types.ts'
import { constantInts, type Inference, type InferenceContext } from '../geometry.ts'
import { describe, numberOf } from '../graph.ts'

export const Shape: Inference = ({ node, x: [{ shape }] }) => {
  const { length } = shape.slice(numberOf(node, 'start', 0), numberOf(node, 'end', shape.length))
  return [{ type: 'int64', shape: [length] }]
}
export const Size: Inference = () => [{ type: 'int64', shape: [] }]
export const EyeLike: Inference = ({ node, x: [{ type, shape }] }) => {
  const asked = numberOf(node, 'dtype', 0)
  return [{ type: asked ? elementTypeOf(asked) : type, shape }]
}

/** As many entries as fit between two constants; counted exactly where they are integers. */
export const Range: Inference = (context) => [{ type: context.x[0].type, shape: [Math.max(0, countOf(context))] }]

function countOf({ node, constant }: InferenceContext): number {
  const [start, limit, delta] = [0, 1, 2].map((index) => constant(index)?.data[0])
  if (start === undefined || limit === undefined || delta === undefined)
    throw new Error(`${describe(node)} needs constants for its three inputs; shapes must be static`)
  if (Number(delta) === 0) throw new Error(`${describe(node)} never ends: its step is 0`)
  if (typeof start !== 'bigint') return Math.ceil((Number(limit) - start) / Number(delta))
  const [span, step] = [BigInt(limit) - start, BigInt(delta)]
  const cut = span % step !== 0n && span > 0n === step > 0n
  return Number(span / step) + Number(cut)
}

export const ConstantOfShape: Inference = (context) => {
  const value = context.node.attributes.value
  return [{ type: value?.kind === 'tensor' ? value.value.type : 'float32', shape: constantInts(context, 0) }]
}
