/** Normalisation layers: the result has the shape of the input, statistics those of what they are taken over. */
import { at } from '../arity.ts'
import { type Inference, normalAxis, same } from '../geometry.ts'
import { numberOf } from '../graph.ts'

export const BatchNormalization: Inference = ({ node, x }) => {
  const { type, shape } = x[0]
  return node.outputs.map((_, i) => ({ type, shape: i === 0 ? shape : [at(shape, 1)] }))
}

export const LayerNormalization: Inference = ({ node, x }) => {
  const { type, shape } = x[0]
  const axis = normalAxis(numberOf(node, 'axis', -1), shape.length)
  const statistics = shape.map((extent, i) => (i < axis ? extent : 1))
  return node.outputs.map((_, i) => ({ type, shape: i === 0 ? shape : statistics }))
}

export { same as GroupNormalization, same as InstanceNormalization }
