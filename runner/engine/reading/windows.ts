/** Windows of a file with the pads and the rounding that they come to. onnxruntime's kernels refuse auto_pad, or take it for something
 *  else, where windows have gaps or lie apart; and where ceil_mode leaves out a window that would start behind the map, its
 *  inference of shapes counts that window and then refuses what follows. */
import { at } from '../onnx/arity.ts'
import { type Attribute, int, ints, listOf, type Node, numberOf, stringOf, type Value } from '../onnx/graph.ts'
import { floats, sizeOf, type Tensor } from '../onnx/tensor.ts'
import { placesOf, reachOf, spansOf, type Window, windowCounts, windowOf } from '../onnx/windows.ts'

type Attributes = Readonly<Record<string, Attribute>>

const WINDOWED = ['AveragePool', 'Conv', 'LpPool', 'MaxPool']

/** A node in other words: its attributes, and what each entry of its first output is multiplied with, [1, 1, ...places]. */
interface Worded {
  attributes: Attributes
  factors?: Tensor
}

/** Says the same of a node without auto_pad, and without ceil_mode where that leaves a window out. */
export function plainWindow(op: string, inputs: readonly (Value | null)[], attributes: Attributes): Worded {
  const [x, weight] = inputs
  if (!WINDOWED.includes(op) || !x) return { attributes }
  const node: Node = { op, domain: '', inputs, outputs: [], attributes }
  const window = windowOf(node, listOf(node, 'kernel_shape', weight?.shape.slice(2) ?? []), x.shape)
  const whole = numberOf(node, 'ceil_mode', 0) === 1 ? withoutCeil(node, window, x.shape.slice(2)) : undefined
  if (!whole && stringOf(node, 'auto_pad', 'NOTSET') === 'NOTSET') return { attributes }
  const { auto_pad: _, ...rest } = attributes
  if (!whole) return { attributes: { ...rest, pads: ints(window.pads) } }
  const { pads, factors } = whole
  return { attributes: { ...rest, pads: ints(pads), ceil_mode: int(0) }, ...(factors && { factors }) }
}

/** Pads that give as many windows without ceil_mode; undefined where it leaves none out, or where such pads can't be. */
function withoutCeil(node: Node, window: Window, extents: readonly number[]) {
  const spans = spansOf(window)
  const places = placesOf(extents, window, true)
  const leavesOut = spans.some((span, i) => {
    const room = at(extents, i) + span.begin + span.end - reachOf(span)
    return Math.ceil(room / span.stride) + 1 > at(places, i)
  })
  if (!leavesOut) return undefined
  if (placesOf(extents, window).every((count, i) => count === at(places, i))) return { pads: window.pads }
  // As far as the last windows reach.
  const ends = spans.map((span, i) =>
    Math.max(0, (at(places, i) - 1) * span.stride + reachOf(span) - at(extents, i) - span.begin),
  )
  if (ends.some((end, i) => end >= at(spans, i).k)) return undefined // which onnxruntime refuses
  const pads = [...spans.map(({ begin }) => begin), ...ends]
  if (numberOf(node, 'count_include_pad', 0) === 0) return { pads }
  // These pads count, but beyond those of the node nothing did.
  const counts = windowCounts(window, extents, places, true)
  const factors = counts.map((count) => sizeOf(window.kernel) / count)
  return { pads, factors: floats([1, 1, ...places], factors) }
}
