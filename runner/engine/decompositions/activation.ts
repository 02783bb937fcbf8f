/** Activations that are products of others. */
import { type Node, numberOf, type Value } from '../onnx/graph.ts'
import type { Ops } from '../onnx/ops.ts'
import { type Decomposition, input } from './parts/decomposition.ts'

/** x moved towards 0 by the bias, where it lies further than lambd from it, else 0; onnxruntime rounds it to single precision. */
export const Shrink: Decomposition = (context) => {
  const { ops, node } = context
  const x = input(context, 0)
  const [lambd, bias] = [numberOf(node, 'lambd', 0.5), numberOf(node, 'bias', 0)]
  const below = ops.Where(ops.Less(x, -lambd), ops.Add(x, bias), 0)
  return [ops.Where(ops.Greater(x, lambd), ops.Sub(x, bias), below)]
}

/** x * tanh(log(1 + e^x)) */
export const Mish: Decomposition = (context) => {
  const { ops } = context
  const x = input(context, 0)
  return [ops.Mul(x, ops.Tanh(ops.Softplus(x)))]
}

/** x * sigmoid(alpha * x) */
function swish(ops: Ops, x: Value, node: Node): Value {
  const alpha = numberOf(node, 'alpha', 1)
  return ops.Mul(x, ops.Sigmoid(alpha === 1 ? x : ops.Mul(x, alpha)))
}

export const Swish: Decomposition = (context) => [swish(context.ops, input(context, 0), context.node)]

/** A gate beside what passes it. */
export const SwiGLU: Decomposition = (context) => {
  const { ops, node } = context
  return [ops.Mul(swish(ops, input(context, 0), node), input(context, 1))]
}
