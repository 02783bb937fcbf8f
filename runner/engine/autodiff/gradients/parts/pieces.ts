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
