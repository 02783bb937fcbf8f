/** Sampling of maps at places that are computed. Gradients reach the map and the places. */
import { at } from '../onnx/arity.ts'
import { constantInts } from '../onnx/geometry.ts'
import { describe, numberOf, stringOf, type Value } from '../onnx/graph.ts'
import type { Ops } from '../onnx/ops.ts'
import { arrays, int64s, sizeOf, tensor } from '../onnx/tensor.ts'
import { type Decomposition, input, table } from './parts/decomposition.ts'

/** Entries that a place of one axis draws on: their indices [n, places], as whole numbers in floats, and their shares. */
interface Tap {
  index: Value
  share: Value | null
}

interface Axis {
  extent: number
  /** Whether -1 and 1 are the middles of the outermost entries, not their outer edges. */
  align: boolean
  padding: string
}

/** Inside [0, extent - 1]; no gradient passes at the ends, as in PyTorch. */
const clipped = (ops: Ops, place: Value, extent: number): Value =>
  ops.Where(ops.LessOrEqual(place, 0), 0, ops.Where(ops.GreaterOrEqual(place, extent - 1), extent - 1, place))

/** Mirrored at both ends as often as it takes. */
function reflected(ops: Ops, place: Value, { extent, align }: Axis): Value {
  const low = align ? 0 : -0.5
  const span = align ? extent - 1 : extent
  if (span === 0) return ops.Mul(place, 0)
  const distance = ops.Abs(ops.Sub(place, low))
  const turns = ops.Floor(ops.Div(distance, span))
  const rest = ops.Sub(distance, ops.Mul(turns, span))
  const odd = ops.Sub(turns, ops.Mul(ops.Floor(ops.Div(turns, 2)), 2))
  return ops.Add(ops.Where(ops.Greater(odd, 0.5), ops.Sub(span, rest), rest), low)
}

/** A place, or an index, brought into the map as the padding says; zeros are left where they are. */
function broughtIn(ops: Ops, place: Value, axis: Axis): Value {
  if (axis.padding === 'zeros') return place
  return clipped(ops, axis.padding === 'reflection' ? reflected(ops, place, axis) : place, axis.extent)
}

/** The shares of four neighbours, for t in [0, 1) between the two in the middle; a = -0.75 as in PyTorch. */
function cubicShares(ops: Ops, t: Value): Value[] {
  const a = -0.75
  const near = (d: Value) => ops.Add(ops.Mul(ops.Mul(ops.Sub(ops.Mul(d, a + 2), a + 3), d), d), 1)
  const far = (d: Value) => ops.Sub(ops.Mul(ops.Add(ops.Mul(ops.Sub(ops.Mul(d, a), 5 * a), d), 8 * a), d), 4 * a)
  const left = ops.Sub(1, t)
  return [far(ops.Add(t, 1)), near(t), near(left), far(ops.Add(left, 1))]
}

function tapsOf(ops: Ops, given: Value, axis: Axis, mode: string): Tap[] {
  const { extent, align, padding } = axis
  const place = align
    ? ops.Mul(ops.Add(given, 1), (extent - 1) / 2)
    : ops.Div(ops.Sub(ops.Mul(ops.Add(given, 1), extent), 1), 2)
  // A share of 0 where an index lies outside, which must still name an entry.
  const inside = (index: Value, share: Value | null): Tap => {
    const held = ops.Min(ops.Max(index, 0), extent - 1)
    if (padding !== 'zeros') return { index: held, share }
    const within = ops.Cast(ops.Equal(index, held), index.type)
    return { index: held, share: share ? ops.Mul(share, within) : within }
  }
  if (mode === 'cubic') {
    const below = ops.Floor(place)
    return cubicShares(ops, ops.Sub(place, below)).map((share, i) =>
      inside(broughtIn(ops, i === 1 ? below : ops.Add(below, i - 1), axis), share),
    )
  }
  const own = broughtIn(ops, place, axis)
  if (mode === 'nearest') return [inside(ops.emit('Round', [own])[0], null)]
  const below = ops.Floor(own)
  const t = ops.Sub(own, below)
  return [inside(below, ops.Sub(1, t)), inside(ops.Add(below, 1), t)]
}

const MODES: Record<string, string> = { bilinear: 'linear', bicubic: 'cubic' }

/** [n, c, ...map] at the places [n, ...result, axes], each in [-1, 1] and the last axis first -> [n, c, ...result] */
export const GridSample: Decomposition = (context) => {
  const { ops, node } = context
  const [x, grid] = [input(context, 0), input(context, 1)]
  const [n, c, ...map] = x.shape as [number, number, ...number[]]
  if (map.length > 3 || grid.shape.at(-1) !== map.length)
    throw new Error(
      `${describe(node)}: expected places of ${map.length} (at most 3) axes for [${x.shape}], got [${grid.shape}]`,
    )
  const result = grid.shape.slice(1, -1)
  const places = sizeOf(result)
  const given = stringOf(node, 'mode', 'linear')
  const mode = MODES[given] ?? given
  if (!['linear', 'nearest', 'cubic'].includes(mode))
    throw new Error(`${describe(node)}: expected mode linear, nearest or cubic, got ${given}`)
  const padding = stringOf(node, 'padding_mode', 'zeros')
  const align = numberOf(node, 'align_corners', 0) === 1
  const flat = ops.Reshape(grid, [n, places, map.length])
  const taps = map.map((extent, i) => {
    const last = map.length - 1 - i
    const along = ops.Reshape(ops.Slice(flat, [last], [last + 1], [2]), [n, places])
    return tapsOf(ops, along, { extent, align, padding }, mode)
  })
  // Every choice of one tap an axis, as a row of [n * points, c].
  const combined = taps.reduce<Tap[]>(
    (all, own, i) =>
      all.flatMap(({ index, share }) =>
        own.map((tap) => ({
          index: ops.Add(ops.Mul(index, at(map, i)), tap.index),
          share: share && tap.share ? ops.Mul(share, tap.share) : (share ?? tap.share),
        })),
      ),
    [{ index: ops.Expand(ops.scalar(flat.type, 0), [n, places]), share: null }],
  )
  const points = sizeOf(map)
  // Indices are floats until a row is drawn.
  if (points > 2 ** 24) throw new Error(`${describe(node)}: expected maps of at most ${2 ** 24} entries, got [${map}]`)
  const starts = ops.constant(
    int64s(
      [n, 1],
      table(node, n, (i) => i * points),
    ),
    'starts',
  )
  const axes = [...x.shape.keys()]
  const rows = ops.Reshape(ops.Transpose(x, [0, ...axes.slice(2), 1]), [n * points, c])
  const drawn = combined.map(({ index, share }) => {
    const entries = ops.Gather(rows, ops.Add(ops.Cast(index, 'int64'), starts))
    return share ? ops.Mul(entries, ops.Unsqueeze(share, [2])) : entries
  })
  const sum = drawn.reduce((total, own) => ops.Add(total, own)) // [n, places, c]
  return [ops.Reshape(ops.Transpose(sum, [0, 2, 1]), [n, c, ...result])]
}

/** The places [n, ...map, axes] that affine maps [n, axes, axes + 1] send the middles of a map's entries to. */
export const AffineGrid: Decomposition = (context) => {
  const { ops, node } = context
  const theta = input(context, 0)
  const [n, , ...map] = constantInts(context, 1) as [number, number, ...number[]]
  const align = numberOf(node, 'align_corners', 0) === 1
  const middle = (i: number, extent: number) =>
    align && extent > 1 ? (2 * i) / (extent - 1) - 1 : (2 * i + 1) / extent - 1
  const points = sizeOf(map)
  // Rows x, y, (z), 1 of all entries: the last axis first.
  const rows = map.toReversed().flatMap((extent, last) => {
    const after = sizeOf(map.slice(map.length - last))
    return table(node, points, (flat) => middle(Math.floor(flat / after) % extent, extent))
  })
  const data = arrays[theta.type as 'float32'].from([...rows, ...Array<number>(points).fill(1)])
  const grid = ops.constant(tensor(theta.type, [map.length + 1, points], data), 'grid')
  const sent = ops.Transpose(ops.MatMul(theta, grid), [0, 2, 1])
  return [ops.Reshape(sent, [n, ...map, map.length])]
}
