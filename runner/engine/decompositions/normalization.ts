/** Normalisations that are few reductions and products. */
import { normalAxis } from '../onnx/geometry.ts'
import { describe, listOf, numberOf } from '../onnx/graph.ts'
import { type Decomposition, input } from './parts/decomposition.ts'

/** x / sqrt(mean(x^2) + epsilon) * scale over the last axes, from `axis` on. */
export const RMSNormalization: Decomposition = (context) => {
  const { ops, node } = context
  const [x, scale] = [input(context, 0), input(context, 1)]
  const first = normalAxis(numberOf(node, 'axis', -1), x.shape.length)
  const square = ops.ReduceMean(ops.Mul(x, x), [...x.shape.keys()].slice(first))
  const norm = ops.Sqrt(ops.Add(square, numberOf(node, 'epsilon', 1e-5)))
  return [ops.Mul(ops.Div(x, norm), scale)]
}

/** x divided by its norm along an axis; a zero vector stays. */
export const LpNormalization: Decomposition = (context) => {
  const { ops, node } = context
  const x = input(context, 0)
  const p = numberOf(node, 'p', 2)
  if (p !== 1 && p !== 2) throw new Error(`${describe(node)}: expected p to be 1 or 2, got ${p}`)
  const axes = [normalAxis(numberOf(node, 'axis', -1), x.shape.length)]
  const [norm] = ops.emit(p === 1 ? 'ReduceL1' : 'ReduceL2', [x, ops.list(axes)])
  return [ops.Div(x, ops.Where(ops.Equal(norm, 0), 1, norm))]
}

/** (x - mean) / (deviation + 1e-9) over the axes of batch and map. */
export const MeanVarianceNormalization: Decomposition = (context) => {
  const { ops, node } = context
  const x = input(context, 0)
  const axes = listOf(node, 'axes', [0, 2, 3]).map((axis) => normalAxis(axis, x.shape.length))
  const centred = ops.Sub(x, ops.ReduceMean(x, axes))
  const deviation = ops.Sqrt(ops.ReduceMean(ops.Mul(centred, centred), axes))
  return [ops.Div(centred, ops.Add(deviation, 1e-9))]
}

/** x / (bias + alpha * mean of x^2 over the neighbouring channels)^beta; channels beyond the ends count as zeros. */
export const LRN: Decomposition = (context) => {
  const { ops, node } = context
  const x = input(context, 0)
  const size = numberOf(node, 'size', 1)
  const [n, c, ...map] = x.shape as [number, number, ...number[]]
  const points = map.reduce((product, extent) => product * extent, 1)
  const [before, after] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)]
  // [n, c, ...] -> [n, 1, c, points], so that a window slides over channels
  const squares = ops.Reshape(ops.Mul(x, x), [n, 1, c, points])
  const padded = ops.Pad(squares, [0, 0, before, 0, 0, 0, after, 0])
  const means = ops.emit('AveragePool', [padded], { kernel_shape: [size, 1] })[0]
  const scaled = ops.Add(ops.Mul(means, numberOf(node, 'alpha', 1e-4)), numberOf(node, 'bias', 1))
  return [ops.Div(x, ops.Reshape(ops.Pow(scaled, numberOf(node, 'beta', 0.75)), x.shape))]
}
