/** The activations of recurrent layers, which name them in an attribute. */
import { type Node, numberOf, type Value } from '../../onnx/graph.ts'
import type { Ops } from '../../onnx/ops.ts'

export type Activation = (ops: Ops, x: Value) => Value

const activations: Record<string, Activation> = {
  Sigmoid: (ops, x) => ops.Sigmoid(x),
  Tanh: (ops, x) => ops.Tanh(x),
  Relu: (ops, x) => ops.Relu(x),
  Softplus: (ops, x) => ops.Softplus(x),
  Softsign: (ops, x) => ops.Div(x, ops.Add(ops.Abs(x), 1)),
}

/** The activations of each of `count` directions; `clip` bounds what they are given. */
export function activationsOf(node: Node, defaults: readonly string[], count: number): Activation[][] {
  const { activations: given } = node.attributes
  const names = given?.kind === 'strings' ? given.value : []
  const clip = numberOf(node, 'clip', 0)
  const bounded =
    (activation: Activation): Activation =>
    (ops, x) =>
      activation(ops, clip > 0 ? ops.Max(ops.Min(x, clip), -clip) : x)
  return Array.from({ length: count }, (_, direction) =>
    defaults.map((fallback, i) => {
      const name = names[direction * defaults.length + i] ?? fallback
      const activation = activations[name]
      if (!activation)
        throw new Error(
          `${node.op} with the activation ${name} is not supported; expected one of ${Object.keys(activations).join(', ')}`,
        )
      return bounded(activation)
    }),
  )
}
