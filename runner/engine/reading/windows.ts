/** Windows of a file with the pads and the rounding that they come to. onnxruntime's kernels refuse auto_pad, or take it for something
 *  else, where windows have gaps or lie apart; and where ceil_mode leaves out a window that would start behind the map, its
 *  inference of shapes counts that window and then refuses what follows. */
import { at } from '../onnx/arity.ts'
import { type Attribute, int, ints, listOf, type Node, numberOf, stringOf, type Value } from '../onnx/graph.ts'
import { placesOf, reachOf, spansOf, type Window, windowOf } from '../onnx/windows.ts'

type Attributes = Readonly<Record<string, Attribute>>

const WINDOWED = ['AveragePool', 'Conv', 'LpPool', 'MaxPool']

/** Attributes that say the same of a node without auto_pad, and without ceil_mode where that leaves a window out. */
export function plainWindow(op: string, inputs: readonly (Value | null)[], attributes: Attributes): Attributes {
  const [x, weight] = inputs
  if (!WINDOWED.includes(op) || !x) return attributes
  const node: Node = { op, domain: '', inputs, outputs: [], attributes }
  const window = windowOf(node, listOf(node, 'kernel_shape', weight?.shape.slice(2) ?? []), x.shape)
  const rounded = numberOf(node, 'ceil_mode', 0) === 1 ? withoutCeil(node, window, x.shape.slice(2)) : undefined
  if (!rounded && stringOf(node, 'auto_pad', 'NOTSET') === 'NOTSET') return attributes
  const { auto_pad: _, ...rest } = attributes
  return { ...rest, pads: ints(rounded ?? window.pads), ...(rounded && { ceil_mode: int(0) }) }
}

/** Pads that give as many windows without ceil_mode; undefined where it leaves no window out, or where such pads would count. */
function withoutCeil(node: Node, window: Window, extents: readonly number[]): number[] | undefined {
  const spans = spansOf(window)
  const places = placesOf(extents, window, true)
  const roomOf = (i: number) => {
    const span = at(spans, i)
    return at(extents, i) + span.begin + span.end - reachOf(span)
  }
  if (spans.every(({ stride }, i) => at(places, i) === Math.ceil(roomOf(i) / stride) + 1)) return undefined
  if (placesOf(extents, window).every((count, i) => count === at(places, i))) return window.pads
  const ends = spans.map((span, i) =>
    Math.max(0, (at(places, i) - 1) * span.stride + reachOf(span) - at(extents, i) - span.begin),
  )
  const counted = numberOf(node, 'count_include_pad', 0) === 1
  // Pads have to be less than the kernel.
  return counted || ends.some((end, i) => end >= at(spans, i).k)
    ? undefined
    : [...spans.map(({ begin }) => begin), ...ends]
}
