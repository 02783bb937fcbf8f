/** Losses: functions that add a scalar to a graph. */
import type { Value } from '../onnx/graph.ts'
import type { Ops } from '../onnx/ops.ts'
import { sizeOf } from '../onnx/tensor.ts'

/** Mean cross-entropy. logits [n, classes], targets [n] int64 -> [] */
export function crossEntropy(ops: Ops, logits: Value, targets: Value): Value {
  const logProbabilities = ops.LogSoftmax(logits, { axis: 1 })
  const picked = ops.Mul(logProbabilities, ops.OneHot(targets, logits.shape[1]!))
  return ops.Div(ops.ReduceSum(picked, [0, 1], 0), -logits.shape[0]!)
}

/** Squared distance of two predictions: `sum` adds the squares over an example and averages over the batch (DDPM's training loss);
 *  `mean` averages over everything. One is the other times the number of values in an example. [n, ...], [n, ...] -> [] */
export function squaredError(ops: Ops, a: Value, b: Value, reduction: 'sum' | 'mean'): Value {
  const difference = ops.Sub(a, b)
  const count = reduction === 'sum' ? a.shape[0]! : sizeOf(a.shape)
  const axes = a.shape.map((_, axis) => axis)
  return ops.Div(ops.ReduceSumSquare(difference, axes, 0), count)
}
