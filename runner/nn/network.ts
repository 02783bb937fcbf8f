/** Networks: named parameters and buffers, and a function that builds the forward graph from their values. */
import type { Value } from '../onnx/graph.ts'
import { newGraph } from '../onnx/graph.ts'
import { type Ops, opsFor } from '../onnx/ops.ts'
import type { Shape, Tensor } from '../onnx/tensor.ts'
import { sizeOf, tensor } from '../onnx/tensor.ts'
import { randomStream, type Stream } from './random.ts'

/** Fills a new parameter; `fanIn` and `fanOut` follow from its shape. */
export type Initializer = (random: Stream, shape: Shape) => Float32Array

export interface Variable {
  name: string
  shape: Shape
  init: Initializer
}

/** What layers see while a forward graph is being built. */
export interface Scope {
  ops: Ops
  /** Whether batch norm uses the statistics of the batch, and dropout drops. */
  training: boolean
  /** A trainable tensor, by name: declared on first sight, its value given on later builds. */
  parameter(name: string, shape: Shape, init: Initializer): Value
  /** A tensor that training updates without a gradient, such as a running mean. */
  buffer(name: string, shape: Shape, init: Initializer): Value
  /** In training: the buffer's next value. */
  update(name: string, value: Value): void
}

export interface Network {
  /** In the order in which the forward pass meets them. */
  parameters: Variable[]
  buffers: Variable[]
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
  const parameters: Variable[] = []
  const buffers: Variable[] = []
  const sketch = opsFor(newGraph())
  const declare = (into: Variable[]) => (name: string, shape: Shape, init: Initializer) => {
    if ([...parameters, ...buffers].some((known) => known.name === name))
      throw new Error(`two variables are named ${name}`)
    into.push({ name, shape, init })
    return { name, type: 'float32' as const, shape }
  }
  const x = { name: 'x', type: 'float32' as const, shape: [2, ...inputShape] }
  const logits = build(
    { ops: sketch, training: false, parameter: declare(parameters), buffer: declare(buffers), update: () => {} },
    x,
  )
  if (logits.shape.join() !== `2,${classes}`)
    throw new Error(`the network gives [${logits.shape}] for 2 examples; expected [2,${classes}] logits`)

  return {
    parameters,
    buffers,
    inputShape,
    classes,
    forward(ops, x, values, training) {
      const updates = new Map<string, Value>()
      const find = (name: string) => {
        const value = values.get(name)
        if (!value) throw new Error(`no value for ${name}; given: ${[...values.keys()].join(', ')}`)
        return value
      }
      const update = (name: string, value: Value) => updates.set(name, value)
      return { logits: build({ ops, training, parameter: find, buffer: find, update }, x), updates }
    },
  }
}

/** Fresh parameters and buffers; each tensor draws from a stream of its own. */
export function initialState(network: Network, seed: number): Map<string, Tensor> {
  return new Map(
    [...network.parameters, ...network.buffers].map(({ name, shape, init }) => [
      name,
      tensor('float32', shape, init(randomStream(seed, `init/${name}`), shape)),
    ]),
  )
}

/** How many numbers the parameters hold. */
export const parameterCount = (network: Network): number =>
  network.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
