/** Ops that slide a window over maps [n, c, ...], and those that see a whole map. */
import { at, withInputs } from '../arity.ts'
import { type Inference, spansOf, type Window, windowOf } from '../geometry.ts'
import { listOf, numberOf } from '../graph.ts'
import type { Shape } from '../tensor.ts'

const slide = (extents: Shape, window: Window, ceil: boolean): number[] =>
  spansOf(window).map(({ k, stride, dilation, begin, end }, i) => {
    const extent = at(extents, i)
    const room = extent + begin + end - (k - 1) * dilation - 1
    if (!ceil) return Math.floor(room / stride) + 1
    const count = Math.ceil(room / stride) + 1
    // A window that would start in the end padding is dropped, as in PyTorch.
    return (count - 1) * stride >= extent + begin ? count - 1 : count
  })

const pooling: Inference = ({ node, x }) => {
  const { type, shape } = x[0]
  const window = windowOf(node, listOf(node, 'kernel_shape', []), shape)
  const output = [...shape.slice(0, 2), ...slide(shape.slice(2), window, numberOf(node, 'ceil_mode', 0) === 1)]
  return [
    { type, shape: output },
    { type: 'int64', shape: output },
  ]
}

export const Conv: Inference = withInputs(2, ({ node, x: [input, weight] }) => {
  const window = windowOf(node, weight.shape.slice(2), input.shape)
  const extents = slide(input.shape.slice(2), window, false)
  return [{ type: input.type, shape: [at(input.shape, 0), at(weight.shape, 0), ...extents] }]
})

export const ConvTranspose: Inference = withInputs(2, ({ node, x: [input, weight] }) => {
  const window = windowOf(node, weight.shape.slice(2), input.shape)
  const extra = listOf(node, 'output_padding', Array(window.kernel.length).fill(0))
  const extents = spansOf(window).map(
    ({ k, stride, dilation, begin, end }, i) =>
      stride * (at(input.shape, i + 2) - 1) + at(extra, i) + (k - 1) * dilation + 1 - begin - end,
  )
  return [
    { type: input.type, shape: [at(input.shape, 0), at(weight.shape, 1) * numberOf(node, 'group', 1), ...extents] },
  ]
})

const wholeMap: Inference = ({ x }) => [
  { type: x[0].type, shape: x[0].shape.map((extent, axis) => (axis < 2 ? extent : 1)) },
]

export { pooling as AveragePool, pooling as MaxPool, wholeMap as GlobalAveragePool, wholeMap as GlobalMaxPool }
