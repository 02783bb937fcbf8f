/** What a Resize does along each axis: how long the result is, and how much of each entry is in each of its entries. Coordinates are
 *  rounded to single precision step by step, as in onnxruntime, so that both choose the same neighbours. */
import { at } from './arity.ts'
import { constantInts, type InferenceContext, normalAxis } from './geometry.ts'
import { describe, listOf, type Node, numberOf, stringOf } from './graph.ts'

const { fround } = Math

/** Extents of an axis before and after, and the factor between them as the node has it. */
export interface ResizedAxis {
  from: number
  to: number
  scale: number
  /** The part of the axis that is resized, as shares of its length; all of it where there is none. */
  region?: readonly [start: number, end: number]
}

/** Every axis, resized as the scales or sizes ask. */
export function resizedAxes(context: InferenceContext): ResizedAxis[] {
  const { node, x } = context
  const { shape } = x[0]
  const named = listOf(node, 'axes', [...shape.keys()]).map((axis) => normalAxis(axis, shape.length))
  const sizes = node.inputs[3] ? constantInts(context, 3) : []
  const scales = sizes.length > 0 ? scalesOf(context, named, sizes) : node.inputs[2] ? constantInts(context, 2) : []
  if (scales.length !== named.length)
    throw new Error(`${describe(node)}: expected a scale or size for ${named.length} axes, got ${scales.length}`)
  const crops = transformOf(node) === 'tf_crop_and_resize'
  if (crops && sizes.length === 0) throw new Error(`${describe(node)} cuts out regions; expected sizes, not scales`)
  const regions = crops ? constantInts(context, 1) : []
  const kept = stringOf(node, 'keep_aspect_ratio_policy', 'stretch') !== 'stretch'
  const axes: ResizedAxis[] = shape.map((from) => ({ from, to: from, scale: 1 }))
  named.forEach((axis, i) => {
    const from = at(shape, axis)
    const scale = at(scales, i)
    const exact = fround(from * scale)
    const to = sizes.length === 0 ? Math.floor(exact) : kept ? Math.round(exact) : at(sizes, i)
    axes[axis] = { from, to, scale, ...(crops && { region: [at(regions, i), at(regions, i + named.length)] }) }
  })
  // onnxruntime copies a map that keeps its extents, and with antialias each axis that does, whatever the scales say.
  const copied = axes.every(({ from, to }) => from === to) || numberOf(node, 'antialias', 0) === 1
  return axes.map((axis) => (copied && axis.from === axis.to && !axis.region ? { ...axis, scale: 1 } : axis))
}

/** Of sizes; where the ratio of the axes is kept, the smallest or largest for all. */
function scalesOf(
  { node, x: [{ shape }] }: InferenceContext,
  axes: readonly number[],
  sizes: readonly number[],
): number[] {
  const scales = axes.map((axis, i) => fround(at(sizes, i) / at(shape, axis)))
  const policy = stringOf(node, 'keep_aspect_ratio_policy', 'stretch')
  if (policy === 'stretch') return scales
  return scales.map(() => (policy === 'not_larger' ? Math.min(...scales) : Math.max(...scales)))
}

const transformOf = (node: Node) => stringOf(node, 'coordinate_transformation_mode', 'half_pixel')

/** Where in the input an entry of the result lies, between entries. */
function sourceOf(node: Node, { from, to, scale, region }: ResizedAxis, index: number): number {
  const halfPixel = () => fround(fround((index + 0.5) / scale) - 0.5)
  const mode = transformOf(node)
  switch (mode) {
    case 'half_pixel':
      return halfPixel()
    case 'pytorch_half_pixel':
      return to > 1 ? halfPixel() : 0
    case 'half_pixel_symmetric': {
      const adjusted = fround(to / fround(scale * from))
      // In double precision from here on.
      return fround(fround((from / 2) * fround(1 - adjusted)) + (index + 0.5) / scale - 0.5)
    }
    case 'align_corners':
      return to === 1 ? 0 : fround((index * (from - 1)) / (to - 1))
    case 'asymmetric':
      return fround(index / scale)
    case 'tf_half_pixel_for_nn':
      return fround((index + 0.5) / scale)
    case 'tf_crop_and_resize': {
      const [start, end] = region ?? [0, 1]
      if (to === 1) return fround(0.5 * fround(fround(start + end) * (from - 1)))
      const step = fround(fround(fround(index * fround(end - start)) * (from - 1)) / (to - 1))
      return fround(fround(start * (from - 1)) + step)
    }
    default:
      throw new Error(`${describe(node)}: unknown coordinate_transformation_mode ${mode}`)
  }
}

function nearestTo(node: Node, source: number, scale: number): number {
  const mode = stringOf(node, 'nearest_mode', 'round_prefer_floor')
  switch (mode) {
    case 'round_prefer_floor':
      return Math.ceil(source - 0.5)
    case 'round_prefer_ceil':
      return Math.floor(source + 0.5)
    case 'floor':
      return Math.floor(source)
    case 'ceil':
      return Math.ceil(source)
    case 'simple': // of opset 10, which had no modes
      return scale < 1 ? Math.ceil(source) : Math.trunc(source)
    default:
      throw new Error(`${describe(node)}: unknown nearest_mode ${mode}`)
  }
}

/** Keys' convolution kernel. */
function cubic(distance: number, a: number): number {
  const d = Math.abs(distance)
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1
  return d < 2 ? ((d - 5) * d + 8) * d * a - 4 * a : 0
}
const triangle = (distance: number) => Math.max(0, 1 - Math.abs(distance))

/** Which entries of the input an entry of the result is made of: [index, weight], an index maybe more than once. Those that lie
 *  outside count as the entry at the border, or not at all; what lies outside of a region's axis is made of none. */
export function sharesOf(node: Node, axis: ResizedAxis, index: number): [index: number, weight: number][] {
  const { from, scale } = axis
  if (scale === 1) return [[index, 1]]
  const within = (place: number) => Math.min(Math.max(place, 0), from - 1)
  const source = sourceOf(node, axis, index)
  if (axis.region && (source < 0 || source > from - 1)) return []
  const mode = stringOf(node, 'mode', 'nearest')
  if (mode === 'nearest') return [[within(nearestTo(node, source, scale)), 1]]
  const a = numberOf(node, 'cubic_coeff_a', -0.75)
  const [kernel, radius] = mode === 'cubic' ? [(d: number) => cubic(d, a), 2] : [triangle, 1]
  const antialias = numberOf(node, 'antialias', 0) === 1
  // To shrink without aliasing the kernel is stretched, so that it reaches all that the result leaves out.
  const stretch = antialias ? Math.max(1, 1 / scale) : 1
  const outside = numberOf(node, 'exclude_outside', 0) === 1 && (mode === 'cubic' || antialias)
  const first = Math.floor(source - radius * stretch) + (antialias ? 0 : 1)
  const count = 2 * Math.ceil(radius * stretch) + (antialias ? 2 : 0)
  const shares = Array.from({ length: count }, (_, tap): [number, number] => {
    const place = first + tap
    return [within(place), outside && place !== within(place) ? 0 : kernel((place - source) / stretch)]
  }).filter(([, weight]) => weight !== 0)
  const total = outside || antialias ? shares.reduce((sum, [, weight]) => sum + weight, 0) : 1
  return shares.map(([place, weight]) => [place, weight / (total || 1)])
}
