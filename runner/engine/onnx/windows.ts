/** Window arithmetic that Conv, ConvTranspose and pooling share. */
import { at } from './arity.ts'
import { describe, listOf, type Node, stringOf } from './graph.ts'
import type { Shape } from './tensor.ts'

/** Pads are [begin..., end...]. */
export interface Window {
  kernel: number[]
  strides: number[]
  dilations: number[]
  pads: number[]
}

/** A window along one axis. */
export interface Span {
  k: number
  stride: number
  dilation: number
  /** Padding before and after. */
  begin: number
  end: number
}

/** A window axis by axis. */
export const spansOf = ({ kernel, strides, dilations, pads }: Window): Span[] =>
  kernel.map((k, i) => ({
    k,
    stride: at(strides, i),
    dilation: at(dilations, i),
    begin: at(pads, i),
    end: at(pads, i + kernel.length),
  }))

/** How far a window reaches, gaps included. */
export const reachOf = ({ k, dilation }: Span): number => (k - 1) * dilation + 1

const autoPadOf = (node: Node) => stringOf(node, 'auto_pad', 'NOTSET')

/** The window of a node without the pads that depend on its input. */
function plainWindow(node: Node, kernel: readonly number[]): Window {
  const rank = kernel.length
  const ones = Array<number>(rank).fill(1)
  const none = Array<number>(2 * rank).fill(0)
  return {
    kernel: [...kernel],
    strides: [...listOf(node, 'strides', ones)],
    dilations: [...listOf(node, 'dilations', ones)],
    pads: [...(autoPadOf(node) === 'NOTSET' ? listOf(node, 'pads', none) : none)],
  }
}

/** Halves of each total; `upper` says whether an odd one is larger at the end. */
function halved(totals: readonly number[], upper: boolean): number[] {
  const small = totals.map((total) => Math.floor(total / 2))
  const large = totals.map((total) => Math.ceil(total / 2))
  return upper ? [...small, ...large] : [...large, ...small]
}

/** The window of a Conv or a pooling node over `input` [n, c, ...], with the pads that make its extents multiples of the strides'
 *  where the node asks for that. */
export function windowOf(node: Node, kernel: readonly number[], input: Shape): Window {
  const window = plainWindow(node, kernel)
  const autoPad = autoPadOf(node)
  if (!autoPad.startsWith('SAME')) return window
  const totals = spansOf(window).map((span, i) => {
    const extent = at(input, i + 2)
    return Math.max(0, (Math.ceil(extent / span.stride) - 1) * span.stride + reachOf(span) - extent)
  })
  return { ...window, pads: halved(totals, autoPad === 'SAME_UPPER') }
}

/** How many places a window has on each axis. */
export const placesOf = (extents: Shape, window: Window, ceil = false): number[] =>
  spansOf(window).map((span, i) => {
    const { stride, begin, end } = span
    const extent = at(extents, i)
    const room = extent + begin + end - reachOf(span)
    if (!ceil) return Math.floor(room / stride) + 1
    const count = Math.ceil(room / stride) + 1
    // A window that would start in the end padding is dropped, as in PyTorch.
    return (count - 1) * stride >= extent + begin ? count - 1 : count
  })

/** How many entries each window averages, pads included or not: [1, 1, oh, ow]. What lies beyond the pads, where ceil_mode
 *  leaves them, is never counted. */
export function windowCounts(window: Window, input: readonly number[], output: readonly number[], countsPads: boolean) {
  const perAxis = spansOf(window).map(({ k, stride, dilation, begin, end }, i) =>
    Array.from({ length: at(output, i) }, (_, place) => {
      const taps = Array.from({ length: k }, (_, tap) => place * stride - begin + tap * dilation)
      const [first, beyond] = countsPads ? [-begin, at(input, i) + end] : [0, at(input, i)]
      return taps.filter((tap) => tap >= first && tap < beyond).length
    }),
  )
  return perAxis.reduce<number[]>((counts, axis) => counts.flatMap((count) => axis.map((own) => count * own)), [1])
}

/** The window of a ConvTranspose over `input` [n, c, ...], and the extents of its output. Where the output's are given, or follow
 *  from auto_pad, the pads are what then is too much; a given extent may have as much as a stride leaves over at its end. */
export function transposedWindowOf(node: Node, kernel: readonly number[], input: Shape) {
  const window = plainWindow(node, kernel)
  const spans = spansOf(window)
  const extra = listOf(node, 'output_padding', Array(kernel.length).fill(0))
  const whole = spans.map((span, i) => span.stride * (at(input, i + 2) - 1) + reachOf(span))
  const autoPad = autoPadOf(node)
  const given = listOf(node, 'output_shape', []).slice(-kernel.length)
  if (given.length > 0 || autoPad.startsWith('SAME')) {
    const wanted = given.length > 0 ? given : spans.map(({ stride }, i) => stride * at(input, i + 2))
    const totals = whole.map((extent, i) => Math.max(0, extent + at(extra, i) - at(wanted, i)))
    window.pads = halved(totals, autoPad === 'SAME_UPPER')
  }
  const reached = spansOf(window).map(({ begin, end }, i) => at(whole, i) - begin - end)
  const extents = given.length > 0 ? [...given] : reached.map((extent, i) => extent + at(extra, i))
  if (extents.some((extent, i) => extent - at(reached, i) >= at(window.strides, i)))
    throw new Error(
      `${describe(node)}: an input of [${input.slice(2)}] reaches [${reached}] with strides [${window.strides}], which [${extents}] ` +
        'exceeds by a stride or more; give it less output_padding, or a smaller output_shape',
    )
  return { window, extents }
}
