/** Networks: classifiers with named parameters and buffers, and a function that builds the forward graph from their values. */
import type { Value } from '../onnx/graph.ts'
import type { Ops } from '../onnx/ops.ts'
import type { Shape } from '../onnx/tensor.ts'
import { declare, type Scope, scopeOver, type Variables } from './variables.ts'

export type { Initializer, Scope, Variable, Variables } from './variables.ts'
export { parameterCount } from './variables.ts'

export interface Network extends Variables {
  /** [channels, height, width] of an input with pixels in [0, 1]. */
  inputShape: Shape
  classes: number
  /** Adds the forward pass: x [n, c, h, w] -> logits [n, classes], and the next value of each buffer when training. */
  forward(
    ops: Ops,
    x: Value,
    values: ReadonlyMap<string, Value>,
    training: boolean,
  ): { logits: Value; updates: Map<string, Value> }
}

/** Makes a network from a function that builds its forward pass; runs it once to learn its variables. */
export function networkOf(inputShape: Shape, classes: number, build: (scope: Scope, x: Value) => Value): Network {
  const x = { name: 'x', type: 'float32' as const, shape: [2, ...inputShape] }
  const { parameters, buffers, output } = declare((scope) => build(scope, x))
  if (output.shape.join() !== `2,${classes}`)
    throw new Error(`the network gives [${output.shape}] for 2 examples; expected [2,${classes}] logits`)
  return {
    parameters,
    buffers,
    inputShape,
    classes,
    forward(ops, x, values, training) {
      const { scope, updates } = scopeOver(ops, values, { training })
      return { logits: build(scope, x), updates }
    },
  }
}
