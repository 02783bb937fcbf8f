/** Data augmentation inside the graph: pad-4 random crop, then horizontal flip (the reference protocol's for CIFAR-10). */
import type { Value } from '../onnx/graph.ts'
import type { Ops } from '../onnx/ops.ts'
import { int64s } from '../onnx/tensor.ts'

export const PADDING = 4
/** Draws per image: row offset and column offset in [0, 2 * PADDING], flip in {0, 1}. */
export const DRAWS = 3

/** images [n, c, h, w], draws [n, 3] int64 -> [n, c, h, w]; pixels outside the image are 0. */
export function cropAndFlip(ops: Ops, images: Value, draws: Value): Value {
  const [n, c, h, w] = images.shape as [number, number, number, number]
  const wide = w + 2 * PADDING
  const padded = ops.Reshape(ops.Pad(images, [0, 0, PADDING, PADDING, 0, 0, PADDING, PADDING]), [
    n,
    c,
    (h + 2 * PADDING) * wide,
  ])
  const [down, right, flip] = ops.Split(draws, [1, 1, 1], 1) as [Value, Value, Value] // [n, 1] each
  const rowStart = ops.constant(
    int64s(
      [1, h * w],
      Array.from({ length: h * w }, (_, i) => Math.floor(i / w) * wide),
    ),
  )
  const column = ops.constant(
    int64s(
      [1, h * w],
      Array.from({ length: h * w }, (_, i) => i % w),
    ),
  )
  const mirrored = ops.constant(
    int64s(
      [1, h * w],
      Array.from({ length: h * w }, (_, i) => w - 1 - (i % w)),
    ),
  )
  const source = ops.Where(ops.Equal(flip, 1), mirrored, column) // [n, h * w]
  const index = ops.Add(ops.Add(rowStart, ops.Mul(down, wide)), ops.Add(source, right))
  const everyChannel = ops.Expand(ops.Reshape(index, [n, 1, h * w]), [n, c, h * w])
  return ops.Reshape(ops.GatherElements(padded, everyChannel, 2), [n, c, h, w])
}
