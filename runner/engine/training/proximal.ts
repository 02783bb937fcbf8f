/** The proximal step of SalUn-soft (https://arxiv.org/abs/2310.12508, Appendix B): changes from an anchor shrink by the k-th
 *  smallest of them, so that the k smallest vanish. */
import type { Value } from '../onnx/graph.ts'
import type { Ops } from '../onnx/ops.ts'
import { sizeOf } from '../onnx/tensor.ts'

/** theta = anchor + sign(d) * max(|d| - tau, 0), with d = theta - anchor and tau the `undone`-th smallest |d| over all tensors
 *  (0 when `undone` is 0). `undone` is an int64 scalar. */
export function softThreshold(ops: Ops, parameters: Value[], anchors: Value[], undone: Value): Value[] {
  const changes = parameters.map((parameter, i) => ops.Sub(parameter, anchors[i]!))
  const flat = ops.Concat(
    changes.map((change) => ops.Reshape(ops.Abs(change), [sizeOf(change.shape)])),
    0,
  )
  const count = ops.Reshape(ops.Max(undone, 1), [1])
  const [smallest] = ops.emit(
    'TopK',
    [flat, count],
    { axis: 0, largest: 0, sorted: 1 },
    {
      types: [
        { type: 'float32', shape: [-1] },
        { type: 'int64', shape: [-1] },
      ],
    },
  )
  const last = ops.Gather(smallest!, ops.Sub(ops.Max(undone, 1), 1))
  const tau = ops.Where(ops.Greater(undone, 0), last, 0)
  return changes.map((change, i) =>
    ops.Add(anchors[i]!, ops.Mul(ops.Sign(change), ops.Relu(ops.Sub(ops.Abs(change), tau)))),
  )
}
