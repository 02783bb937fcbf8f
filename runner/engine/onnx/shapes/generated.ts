/** Ops whose result only depends on shapes. */
import { constantInts, type Inference } from '../geometry.ts'

export const Shape: Inference = ({ x }) => [{ type: 'int64', shape: [x[0].shape.length] }]
export const ConstantOfShape: Inference = (context) => {
  const value = context.node.attributes.value
  return [{ type: value?.kind === 'tensor' ? value.value.type : 'float32', shape: constantInts(context, 0) }]
}
