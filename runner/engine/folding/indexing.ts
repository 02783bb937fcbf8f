/** Ops that pick entries, or write them, by index. */
import { at, withInputs } from '../onnx/arity.ts'
import { normalAxis } from '../onnx/geometry.ts'
import { numberOf, stringOf } from '../onnx/graph.ts'
import { numbersOf, type Shape, sizeOf, type Tensor } from '../onnx/tensor.ts'
import {
  bounded,
  type Entry,
  type Fold,
  type FoldContext,
  firstOf,
  made,
  outputOf,
  picked,
  stridesOf,
  walk,
} from './rule.ts'

/** Indices count from the end where they are negative. Throws for one out of range. */
function indexWithin(index: number, extent: number): number {
  const normal = normalAxis(index, extent)
  if (!(normal >= 0 && normal < extent)) throw new Error(`expected an index below ${extent}, got ${index}`)
  return normal
}

const axisOf = ({ node, x: [x] }: FoldContext, rank = x.shape.length) => normalAxis(numberOf(node, 'axis', 0), rank)

export const Gather: Fold = withInputs(2, (context) => {
  const [x, indices] = context.x
  const along = axisOf(context)
  const named = numbersOf(indices).map((index) => indexWithin(index, at(x.shape, along)))
  const strides = stridesOf(x.shape)
  const shape = x.shape.map((extent, axis) => (axis === along ? named.length : extent))
  const places = walk(shape, (axis, i) => (axis === along ? at(named, i) : i) * at(strides, axis))
  return [picked(x, outputOf(context).shape, places)]
})

/** Where in a tensor of shape `own` each entry of `indices` points: at its own place, but along one axis. */
function placesAlong(own: Shape, indices: Tensor, along: number): number[] {
  const strides = stridesOf(own)
  const rest = walk(indices.shape, (axis, i) => (axis === along ? 0 : i * at(strides, axis)))
  return numbersOf(indices).map((index, i) => at(rest, i) + indexWithin(index, at(own, along)) * at(strides, along))
}

/** Where in a tensor of shape `own` the slices begin that the tuples of `indices` name, and what each is like. */
function slicesNamed(own: Shape, indices: Tensor, batches: number): { starts: number[]; rest: Shape } {
  const count = at(indices.shape, -1)
  const strides = stridesOf(own)
  const named = numbersOf(indices)
  const tuples = sizeOf(bounded(indices.shape.slice(0, -1)))
  const perBatch = tuples / sizeOf(own.slice(0, batches))
  const batchStride = sizeOf(own.slice(batches))
  const starts = Array.from({ length: tuples }, (_, tuple) =>
    Array.from({ length: count }, (_, i) => {
      const axis = batches + i
      return indexWithin(at(named, tuple * count + i), at(own, axis)) * at(strides, axis)
    }).reduce((a, b) => a + b, batches > 0 ? Math.floor(tuple / perBatch) * batchStride : 0),
  )
  return { starts, rest: own.slice(batches + count) }
}
const slicePlaces = ({ starts, rest }: ReturnType<typeof slicesNamed>) => {
  const size = sizeOf(rest)
  return starts.flatMap((start) => Array.from({ length: size }, (_, i) => start + i))
}

export const GatherElements: Fold = withInputs(2, (context) => {
  const [x, indices] = context.x
  return [picked(x, indices.shape, placesAlong(x.shape, indices, axisOf(context)))]
})

export const GatherND: Fold = withInputs(2, (context) => {
  const [x, indices] = context.x
  const { shape } = outputOf(context)
  return [picked(x, shape, slicePlaces(slicesNamed(x.shape, indices, numberOf(context.node, 'batch_dims', 0))))]
})

/** A copy of the first input in which `updates` were written over the entries at `places`, one after the other. */
function overwritten({ node, x: [x] }: FoldContext, places: readonly number[], updates: Tensor): Tensor[] {
  if (stringOf(node, 'reduction', 'none') !== 'none') throw new Error('what is written is not combined while folding')
  const entries = [...(x.data as Iterable<Entry>)]
  places.forEach((place, i) => {
    entries[place] = updates.data[i]!
  })
  return [made(x.type, x.shape, (i) => at(entries, i))]
}

export const ScatterElements: Fold = withInputs(3, (context) => {
  const [x, indices, updates] = context.x
  return overwritten(context, placesAlong(x.shape, indices, axisOf(context)), updates)
})

export const ScatterND: Fold = withInputs(3, (context) => {
  const [x, indices, updates] = context.x
  return overwritten(context, slicePlaces(slicesNamed(x.shape, indices, 0)), updates)
})

/** An index out of range leaves its row off. */
export const OneHot: Fold = withInputs(3, (context) => {
  const [indices, depth, values] = context.x
  const { type, shape } = outputOf(context)
  const classes = Number(firstOf(depth))
  const axis = normalAxis(numberOf(context.node, 'axis', -1), shape.length)
  const inner = sizeOf(shape.slice(axis + 1))
  const named = numbersOf(indices).map((index) => normalAxis(index, classes))
  const [off, on] = values.data as ArrayLike<Entry> as [Entry, Entry]
  return [
    made(type, shape, (i) => {
      const index = named[Math.floor(i / (inner * classes)) * inner + (i % inner)]
      return index === Math.floor(i / inner) % classes ? on : off
    }),
  ]
})

/** Indices of the entries that aren't 0, a row for each axis. */
export const NonZero: Fold = ({ x: [x] }) => {
  const found = [...(x.data as Iterable<Entry>)].flatMap((entry, place) => (Number(entry) !== 0 ? [place] : []))
  const strides = stridesOf(x.shape)
  return [
    made('int64', [x.shape.length, found.length], (i) => {
      const axis = Math.floor(i / found.length)
      return Math.floor(at(found, i % found.length) / at(strides, axis)) % at(x.shape, axis)
    }),
  ]
}
