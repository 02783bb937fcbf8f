/** Ops that slide a window over maps [n, c, ...], and those that see a whole map. */
import { at, withInputs } from '../arity.ts'
import type { Inference } from '../geometry.ts'
import { listOf, numberOf } from '../graph.ts'
import { placesOf, transposedWindowOf, windowOf } from '../windows.ts'

const pooling: Inference = ({ node, x }) => {
  const { type, shape } = x[0]
  const window = windowOf(node, listOf(node, 'kernel_shape', []), shape)
  const output = [...shape.slice(0, 2), ...placesOf(shape.slice(2), window, numberOf(node, 'ceil_mode', 0) === 1)]
  return [
    { type, shape: output },
    { type: 'int64', shape: output },
  ]
}

export const Conv: Inference = withInputs(2, ({ node, x: [input, weight] }) => {
  const window = windowOf(node, weight.shape.slice(2), input.shape)
  const extents = placesOf(input.shape.slice(2), window)
  return [{ type: input.type, shape: [at(input.shape, 0), at(weight.shape, 0), ...extents] }]
})

export const ConvTranspose: Inference = withInputs(2, ({ node, x: [input, weight] }) => {
  const { extents } = transposedWindowOf(node, weight.shape.slice(2), input.shape)
  const channels = at(weight.shape, 1) * numberOf(node, 'group', 1)
  return [{ type: input.type, shape: [at(input.shape, 0), channels, ...extents] }]
})

const wholeMap: Inference = ({ x }) => [
  { type: x[0].type, shape: x[0].shape.map((extent, axis) => (axis < 2 ? extent : 1)) },
]

export {
  pooling as AveragePool,
  pooling as LpPool,
  pooling as MaxPool,
  wholeMap as GlobalAveragePool,
  wholeMap as GlobalLpPool,
  wholeMap as GlobalMaxPool,
}
