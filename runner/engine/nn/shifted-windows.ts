/** Windows of a map for local attention (https://arxiv.org/abs/2103.14030): every second block moves the map by half a window, so
 *  that what a border parted is seen together. As in torchvision: maps that no window divides get zeros after their last row and
 *  column, and a map is not moved along an axis on which it is one window long. */
import type { Value } from '../onnx/graph.ts'
import type { Ops } from '../onnx/ops.ts'
import { tensor } from '../onnx/tensor.ts'
import { normalOf } from './layers.ts'
import type { Scope } from './variables.ts'

/** What keeps a score out of the softmax where the map's ends meet; torchvision's value. */
const FAR = -100

/** Moves a map [n, h, w, c] backwards around itself along one axis. Halves that change places: the gradient is as cheap. */
function roll(ops: Ops, x: Value, axis: number, by: number): Value {
  if (by === 0) return x
  const [front, back] = ops.Split(x, [by, x.shape[axis]! - by], axis) as [Value, Value]
  return ops.Concat([back, front], axis)
}

/** Runs a function on the windows of a map [n, h, w, c]: it is given [n * windows, window^2, c] and gives the same. `mask` is null where
 *  nothing moves, else [windows, 1, window^2, window^2] to be added to scores. */
export function inWindows(
  { ops }: Scope,
  x: Value,
  { window, shifted }: { window: number; shifted: boolean },
  run: (windows: Value, mask: Value | null) => Value,
): Value {
  const [n, height, width, c] = x.shape as [number, number, number, number]
  const [rows, columns] = [Math.ceil(height / window), Math.ceil(width / window)]
  const [h, w] = [rows * window, columns * window]
  const shift = ([rows, columns] as const).map((count) => (shifted && count > 1 ? Math.floor(window / 2) : 0))
  const [down, right] = shift as [number, number]

  const whole = ops.Pad(x, [0, 0, 0, 0, 0, h - height, w - width, 0])
  const moved = roll(ops, roll(ops, whole, 1, down), 2, right)
  const cut = ops.Transpose(ops.Reshape(moved, [n, rows, window, columns, window, c]), [0, 1, 3, 2, 4, 5])
  const windows = ops.Reshape(cut, [n * rows * columns, window * window, c])
  const answer = run(windows, down + right === 0 ? null : maskOf(ops, { window, h, w, down, right }))
  const apart = ops.Transpose(ops.Reshape(answer, [n, rows, columns, window, window, c]), [0, 1, 3, 2, 4, 5])
  const back = roll(ops, roll(ops, ops.Reshape(apart, [n, h, w, c]), 1, down && h - down), 2, right && w - right)
  return h === height && w === width ? back : ops.Slice(back, [0, 0], [height, width], [1, 2])
}

/** Points of a window see each other where they lay side by side before the map moved. */
function maskOf(
  ops: Ops,
  { window, h, w, down, right }: Record<'window' | 'h' | 'w' | 'down' | 'right', number>,
): Value {
  /** Three stretches of an axis: whole windows, the last window's own, and what came round from the front. */
  const stretch = (at: number, extent: number, shift: number) =>
    at < extent - window ? 0 : shift === 0 || at < extent - shift ? 1 : 2
  const size = window * window
  const count = (h * w) / size
  const regionOf = (index: number, point: number) => {
    const columns = w / window
    const y = Math.floor(index / columns) * window + Math.floor(point / window)
    const x = (index % columns) * window + (point % window)
    return 3 * stretch(y, h, down) + stretch(x, w, right)
  }
  const mask = new Float32Array(count * size * size)
  for (let index = 0; index < count; index++) {
    const regions = Array.from({ length: size }, (_, point) => regionOf(index, point))
    regions.forEach((from, i) => {
      regions.forEach((to, j) => {
        if (from !== to) mask[(index * size + i) * size + j] = FAR
      })
    })
  }
  return ops.constant(tensor('float32', [count, 1, size, size], mask), 'mask')
}

/** Rows of a table of relative positions by pairs of points of a window: [window^4, (2 window - 1)^2], one 1 in each. */
export function relativePositions(ops: Ops, window: number): Value {
  const [size, span] = [window * window, 2 * window - 1]
  const rows = new Float32Array(size * size * span * span)
  for (let from = 0; from < size; from++) {
    for (let to = 0; to < size; to++) {
      const dy = Math.floor(from / window) - Math.floor(to / window) + window - 1
      const dx = (from % window) - (to % window) + window - 1
      rows[(from * size + to) * span * span + dy * span + dx] = 1
    }
  }
  return ops.constant(tensor('float32', [size * size, span * span], rows), 'positions')
}

/** A learned number a head for each relative position: [1, heads, window^2, window^2] to be added to scores. A product with rows of
 *  `positions`: its gradient is a product too, where Gather's would scatter. */
export function positionBias(
  { ops, parameter }: Scope,
  name: string,
  positions: Value,
  { window, heads }: { window: number; heads: number },
): Value {
  const table = parameter(`${name}.relative_position_bias_table`, [positions.shape[1]!, heads], normalOf(0.02))
  const size = window * window
  return ops.Reshape(ops.Transpose(ops.MatMul(positions, table), [1, 0]), [1, heads, size, size])
}
