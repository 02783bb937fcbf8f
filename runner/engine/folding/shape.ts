/** Ops that ask for nothing but a shape: the images' will do. */
import { elementTypeOf } from '../onnx/element-types.ts'
import { type Node, numberOf } from '../onnx/graph.ts'
import { int64s, sizeOf, type Tensor } from '../onnx/tensor.ts'
import type { Known } from './fold.ts'
import { made } from './rule.ts'

export type ShapeFold = (node: Node, input: Known) => Tensor

export const Shape: ShapeFold = (node, { shape }) => {
  const extents = shape.slice(numberOf(node, 'start', 0), numberOf(node, 'end', shape.length))
  return int64s([extents.length], extents)
}

export const Size: ShapeFold = (_, { shape }) => int64s([], [sizeOf(shape)])

export const EyeLike: ShapeFold = (node, { type, shape }) => {
  const [, columns = 1] = shape
  const diagonal = numberOf(node, 'k', 0)
  const asked = numberOf(node, 'dtype', 0)
  return made(asked ? elementTypeOf(asked) : type, shape, (i) =>
    Number((i % columns) - Math.floor(i / columns) === diagonal),
  )
}
