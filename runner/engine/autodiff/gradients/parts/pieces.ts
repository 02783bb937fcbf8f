/** Pieces of graph that the rules of several families share. */
import { at } from '../../../onnx/arity.ts'
import { float, type Value } from '../../../onnx/graph.ts'
import type { Ops } from '../../../onnx/ops.ts'

/** Zeros of a shape that no file has to hold. */
export const zerosLike = (ops: Ops, { type, shape }: Value): Value => ops.Expand(ops.scalar(type, 0), shape)

/** Pads with zeros, and crops where a pad is negative. Pads are [begin of each axis..., end of each axis...]. */
export function padOrCrop(ops: Ops, x: Value, pads: readonly number[]): Value {
  const rank = x.shape.length
  const begin = (axis: number) => at(pads, axis)
  const end = (axis: number) => at(pads, axis + rank)
  const axes = [...x.shape.keys()].filter((axis) => begin(axis) < 0 || end(axis) < 0)
  const cropped =
    axes.length === 0
      ? x
      : ops.Slice(
          x,
          axes.map((axis) => Math.max(0, -begin(axis))),
          axes.map((axis) => at(x.shape, axis) - Math.max(0, -end(axis))),
          axes,
        )
  return ops.Pad(
    cropped,
    pads.map((pad) => Math.max(0, pad)),
  )
}

/** [n, c, ...] -> scale (x - mean) / sqrt(variance + epsilon) + bias in one pass, each [c]. */
export const affine = (
  ops: Ops,
  x: Value,
  { scale, bias, mean, variance }: Record<'scale' | 'bias' | 'mean' | 'variance', Value>,
  epsilon: number,
): Value => ops.emit('BatchNormalization', [x, scale, bias, mean, variance], { epsilon: float(epsilon) })[0]

/** Adds each slice of `dy` [...before, ...indices, ...after] to the entry of `axis` that its index names. */
export function scatterAdd(ops: Ops, like: Value, indices: Value, dy: Value, axis: number): Value {
  const { shape } = like
  const rank = indices.shape.length
  const axes = [...dy.shape.keys()]
  // [...before, ...indices, ...after] -> [...indices, ...before, ...after]
  const updates = ops.Transpose(dy, [
    ...axes.slice(axis, axis + rank),
    ...axes.slice(0, axis),
    ...axes.slice(axis + rank),
  ])
  const front = [at(shape, axis), ...shape.slice(0, axis), ...shape.slice(axis + 1)]
  const target = ops.Expand(ops.scalar(like.type, 0), front)
  const [sum] = ops.emit('ScatterND', [target, ops.Unsqueeze(indices, [rank]), updates], { reduction: 'add' })
  // [extent, ...before, ...after] -> [...before, extent, ...after]
  const back = [...shape.keys()].map((at) => (at < axis ? at + 1 : at === axis ? 0 : at))
  return ops.Transpose(sum, back)
}
