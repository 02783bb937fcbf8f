/** Bundles: small tensors laid end to end in one vector, so that arithmetic on all parameters is a few long nodes instead of
 *  hundreds of short ones. A large tensor is a bundle of its own and keeps its shape: there, copies would cost more than nodes. */
import type { Value } from '../onnx/graph.ts'
import type { Ops } from '../onnx/ops.ts'
import { type Shape, sizeOf } from '../onnx/tensor.ts'

/** Most entries of a small tensor. */
const SMALL = 1 << 16

export interface Bundles {
  shapes: Shape[]
  /** One value per tensor -> one per bundle. */
  pack(ops: Ops, values: readonly Value[]): Value[]
  /** One value per bundle -> one per tensor. */
  unpack(ops: Ops, packed: readonly Value[]): Value[]
}

/** Bundles over tensors of these shapes: the small ones first, if there are two or more, then each large one. */
export function bundlesOf(tensors: readonly { shape: Shape }[]): Bundles {
  const all = tensors.map(({ shape }, index) => ({ index, shape, size: sizeOf(shape) }))
  const small = all.filter(({ size }) => size <= SMALL)
  const joined = small.length > 1 ? small : []
  const alone = all.filter((tensor) => !joined.includes(tensor))
  const total = joined.reduce((sum, { size }) => sum + size, 0)
  return {
    shapes: [...(joined.length > 0 ? [[total]] : []), ...alone.map(({ shape }) => shape)],
    pack(ops, values) {
      const flat = joined.map(({ index, size }) => ops.Reshape(values[index]!, [size]))
      return [...(joined.length > 0 ? [ops.Concat(flat, 0)] : []), ...alone.map(({ index }) => values[index]!)]
    },
    unpack(ops, packed) {
      const values: Value[] = []
      const [vector, ...rest] = joined.length > 0 ? packed : [null, ...packed]
      if (vector) {
        const parts = ops.Split(
          vector,
          joined.map(({ size }) => size),
          0,
        )
        joined.forEach(({ index, shape }, i) => {
          values[index] = ops.Reshape(parts[i]!, shape)
        })
      }
      alone.forEach(({ index }, i) => {
        values[index] = rest[i]!
      })
      return values
    },
  }
}
