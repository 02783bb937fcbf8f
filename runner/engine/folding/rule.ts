/** What a rule of folding is, and how it reads and makes tensors, entry by entry. */
import { type AtLeast, at } from '../onnx/arity.ts'
import type { InferenceContext, OutputType } from '../onnx/geometry.ts'
import type { Value } from '../onnx/graph.ts'
import { inferOutputs } from '../onnx/shapes.ts'
import { arrays, type ElementType, type Shape, sizeOf, type Tensor, tensor } from '../onnx/tensor.ts'

/** Larger tensors are content, not shapes; they stay in the graph. Tables of indices and masks that exporters compute, such as
 *  those of windows of attention, have some ten thousand entries, each of which takes about a microsecond. */
export const LARGEST = 2 ** 16

/** `x` are the inputs of the node, all constant; optional ones that are absent count as undefined. */
export interface FoldContext extends InferenceContext {
  x: AtLeast<1, Value & Tensor>
}
/** Gives the outputs of a node. May throw for what it can't compute: such a node stays in the graph. */
export type Fold = (context: FoldContext) => Tensor[]

/** Integers are bigints while they are computed with, so that those of 64 bits are exact. */
export type Entry = number | bigint

export const isFloat = (type: ElementType): boolean => type.startsWith('float')

/** Throws for a shape that is too large to fold, before anything of its size is made. */
export function bounded(shape: Shape): Shape {
  if (shape.some((extent) => extent < 0) || !(sizeOf(shape) <= LARGEST))
    throw new Error(`[${shape}] is too large to fold; at most ${LARGEST} entries`)
  return shape
}

/** An entry as a typed array takes it: integers wrap around at their width, fractions are cut off. */
function stored(type: ElementType, entry: Entry): Entry {
  if (type === 'bool') return Number(Number(entry) !== 0)
  if (type === 'int64') return typeof entry === 'bigint' ? entry : BigInt(Math.trunc(entry))
  if (typeof entry === 'number') return entry
  return isFloat(type) ? Number(entry) : Number(BigInt.asIntN(32, entry))
}

/** A tensor by its entries, in row-major order. */
export function made(type: ElementType, shape: Shape, entryAt: (index: number) => Entry): Tensor {
  const data = new arrays[type](sizeOf(bounded(shape)))
  for (let i = 0; i < data.length; i++) data[i] = stored(type, entryAt(i))
  return tensor(type, shape, data)
}

/** Types and shapes of the outputs, as the shape rule of the op has them. */
export const outputsOf = ({ node, x, constant }: FoldContext): OutputType[] =>
  inferOutputs(
    node,
    x.filter((input) => input),
    constant,
  )
/** The same of the first output. */
export const outputOf = (context: FoldContext): OutputType => at(outputsOf(context), 0)

/** The first entry of an input, exact. */
export const firstOf = ({ data }: Tensor): Entry => at(data as ArrayLike<Entry> as Entry[], 0)

/** How far entries that follow each other along an axis lie apart. */
export const stridesOf = (shape: Shape): number[] => shape.map((_, axis) => sizeOf(shape.slice(axis + 1)))

/** Sums over the axes of what `placeAt` says of each coordinate, for all entries of `shape` in row-major order: where each is
 *  found in another tensor. */
export const walk = (shape: Shape, placeAt: (axis: number, index: number) => number, start = 0): number[] =>
  bounded(shape).reduce<number[]>(
    (places, extent, axis) => {
      const own = Array.from({ length: extent }, (_, index) => placeAt(axis, index))
      return places.flatMap((place) => own.map((step) => place + step))
    },
    [start],
  )

/** The entries of `x` at `places`; `filler` where one is NaN. */
export const picked = (x: Tensor, shape: Shape, places: readonly number[], filler: Entry = 0): Tensor =>
  made(x.type, shape, (i) => {
    const place = at(places, i)
    return Number.isNaN(place) ? filler : at(x.data as ArrayLike<Entry> as Entry[], place)
  })

/** Places of the entries along `axes`, a list for each entry of what is left of `shape` without them. */
export function lanesOf(shape: Shape, axes: ReadonlySet<number>): number[][] {
  const kept = bounded(shape.map((extent, axis) => (axes.has(axis) ? 1 : extent)))
  const strides = stridesOf(kept)
  const lanes: number[][] = Array.from({ length: sizeOf(kept) }, () => [])
  walk(shape, (axis, index) => (axes.has(axis) ? 0 : index * at(strides, axis))).forEach((lane, place) => {
    at(lanes, lane).push(place)
  })
  return lanes
}
