/** Losses: functions that add a scalar to a graph. */
import type { Value } from '../onnx/graph.ts'
import type { Ops } from '../onnx/ops.ts'

/** Mean cross-entropy. logits [n, classes], targets [n] int64 -> [] */
export function crossEntropy(ops: Ops, logits: Value, targets: Value): Value {
  const logProbabilities = ops.LogSoftmax(logits, { axis: 1 })
  const picked = ops.Mul(logProbabilities, ops.OneHot(targets, logits.shape[1]!))
  return ops.Div(ops.ReduceSum(picked, [0, 1], 0), -logits.shape[0]!)
}
