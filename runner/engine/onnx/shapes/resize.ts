/** Enlarging and shrinking of maps. */
import { at } from '../arity.ts'
import { constantInts, type Inference } from '../geometry.ts'

export const Resize: Inference = (context) => {
  const { node, x } = context
  const { type, shape } = x[0]
  if (node.inputs[3]) return [{ type, shape: constantInts(context, 3) }]
  const scales = constantInts(context, 2)
  return [{ type, shape: shape.map((extent, axis) => Math.floor(extent * at(scales, axis))) }]
}
