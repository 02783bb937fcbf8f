/** Shape arithmetic that the rules of shapes, folding and gradients share: broadcasting, axes, slices, splits and pads. */
import { type AtLeast, at } from './arity.ts'
import { describe, listOf, type Node, numberOf, type Value } from './graph.ts'
import { type ElementType, numbersOf, type Shape, type Tensor } from './tensor.ts'

export interface OutputType {
  type: ElementType
  shape: Shape
}

/** What inference may ask: the inputs, and the content of an input that is a constant. */
export interface InferenceContext {
  node: Node
  x: AtLeast<1, Value>
  constant(index: number): Tensor | undefined
}

/** A shape rule: type and shape of each output. */
export type Inference = (context: InferenceContext) => OutputType[]

/** The rule of ops whose result is like their first input. */
export const same: Inference = ({ x }) => [{ type: x[0].type, shape: x[0].shape }]

/** Shape of an element-wise result (numpy rules). */
export function broadcastShapes(...shapes: Shape[]): Shape {
  const rank = Math.max(...shapes.map((shape) => shape.length))
  return Array.from({ length: rank }, (_, axis) => {
    let extent = 1
    for (const shape of shapes) {
      const own = shape[axis - rank + shape.length] ?? 1
      if (own !== 1 && extent !== 1 && own !== extent)
        throw new Error(`shapes ${shapes.map((s) => `[${s}]`).join(' and ')} do not broadcast`)
      if (own !== 1) extent = own
    }
    return extent
  })
}

export const normalAxis = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis)

/** The ints of a constant input; an error names the node where it is not constant. */
export function constantInts({ node, constant }: Pick<InferenceContext, 'node' | 'constant'>, index: number): number[] {
  const content = constant(index)
  if (!content) {
    throw new Error(
      `${describe(node)} needs a constant for input ${index}; shapes must be static, so fix the batch size on export`,
    )
  }
  return numbersOf(content)
}

/** The axes that an op is given as its second input, or as its attribute until opset 12. */
export const givenAxes = (context: Pick<InferenceContext, 'node' | 'constant'>): readonly number[] =>
  context.node.inputs[1] ? constantInts(context, 1) : listOf(context.node, 'axes', [])

/** A shape with extents of 1 put in, so that they are the `axes` of the result. */
export function unsqueezed(shape: Shape, axes: readonly number[]): Shape {
  const rank = shape.length + axes.length
  const output = [...shape]
  for (const axis of axes.map((axis) => normalAxis(axis, rank)).sort((a, b) => a - b)) output.splice(axis, 0, 1)
  return output
}

/** A shape without `axes`, all of extent 1; without its extents of 1 where none are given. */
export function squeezed(shape: Shape, axes: readonly number[]): Shape {
  const dropped = new Set(axes.map((axis) => normalAxis(axis, shape.length)))
  for (const axis of dropped)
    if (shape[axis] !== 1) throw new Error(`axis ${axis} of [${shape}] is no extent of 1 that could be left out`)
  return shape.filter((extent, axis) => (axes.length === 0 ? extent !== 1 : !dropped.has(axis)))
}

/** Start, step and length of a Slice along every axis. */
export function sliceRanges(context: InferenceContext): { start: number; step: number; length: number }[] {
  const { shape } = context.x[0]
  const starts = constantInts(context, 1)
  const ends = constantInts(context, 2)
  const axes = context.node.inputs[3] ? constantInts(context, 3) : starts.map((_, i) => i)
  const steps = context.node.inputs[4] ? constantInts(context, 4) : starts.map(() => 1)
  const ranges = shape.map((extent) => ({ start: 0, step: 1, length: extent }))
  axes.forEach((given, i) => {
    const axis = normalAxis(given, shape.length)
    const extent = at(shape, axis)
    const step = at(steps, i)
    const clamp = (to: number, low: number, high: number) => Math.min(Math.max(to < 0 ? to + extent : to, low), high)
    const start = clamp(at(starts, i), 0, step > 0 ? extent : extent - 1)
    const end = step > 0 ? clamp(at(ends, i), 0, extent) : clamp(at(ends, i), -1, extent - 1)
    const length = Math.max(0, Math.ceil((end - start) / step))
    // The step of a single entry leads nowhere, and may be of any size.
    ranges[axis] = { start, step: length > 1 ? step : 1, length }
  })
  return ranges
}

/** Entries that a Pad adds before and after each axis; takes away where negative. */
export function padsOf(context: InferenceContext): { begin: number; end: number }[] {
  const { node, x } = context
  const { shape } = x[0]
  const given = constantInts(context, 1)
  const axes = node.inputs[3] ? constantInts(context, 3) : [...shape.keys()]
  const pads = shape.map(() => ({ begin: 0, end: 0 }))
  if (given.length !== 2 * axes.length)
    throw new Error(`${describe(node)}: expected ${2 * axes.length} pads for ${axes.length} axes, got ${given.length}`)
  axes.forEach((axis, i) => {
    pads[normalAxis(axis, shape.length)] = { begin: at(given, i), end: at(given, i + axes.length) }
  })
  return pads
}

/** Index in the input of each entry of a padded axis; NaN where the mode is constant and the entry is none of the input's. What
 *  negative pads take away is gone before anything is copied, as in onnxruntime. */
export function paddedPlaces(mode: string, extent: number, { begin, end }: { begin: number; end: number }): number[] {
  const first = Math.max(0, -begin)
  const left = extent - first - Math.max(0, -end)
  const modulo = (at: number, period: number) => ((at % period) + period) % period
  const within = (at: number): number => {
    if (mode === 'constant') return at >= 0 && at < left ? at : Number.NaN
    if (mode === 'edge') return Math.min(Math.max(at, 0), left - 1)
    if (mode === 'wrap') return modulo(at, left)
    const mirrored = modulo(at, Math.max(1, 2 * left - 2))
    return mirrored < left ? mirrored : 2 * left - 2 - mirrored
  }
  return Array.from({ length: begin + extent + end }, (_, i) => first + within(i - Math.max(0, begin)))
}

/** Parts of a Split along its axis. */
export function splitLengths(context: InferenceContext): { axis: number; lengths: number[] } {
  const { node, x } = context
  const axis = normalAxis(numberOf(node, 'axis', 0), x[0].shape.length)
  const extent = at(x[0].shape, axis)
  const lengths = node.inputs[1] ? constantInts(context, 1) : evenParts(node, extent)
  if (lengths.some((length) => length < 0) || lengths.reduce((sum, length) => sum + length, 0) !== extent)
    throw new Error(`${describe(node)}: expected parts of ${extent} entries together, got [${lengths}]`)
  return { axis, lengths }
}

/** The last part is shorter where the others leave less. */
function evenParts(node: Node, extent: number): number[] {
  const count = numberOf(node, 'num_outputs', node.outputs.length)
  const part = Math.ceil(extent / count)
  if (!(count >= 1 && part * (count - 1) <= extent))
    throw new Error(`${describe(node)}: ${extent} entries do not make ${count} parts`)
  return Array.from({ length: count }, (_, i) => Math.min(part, extent - i * part))
}
