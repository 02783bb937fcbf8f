/** Variables: the named parameters and buffers that a function declares while it builds a forward graph. */
import type { Stream } from '../../science/stream.ts'
import { addInput, type Graph, newGraph, type Value } from '../onnx/graph.ts'
import { type Ops, opsFor } from '../onnx/ops.ts'
import { type Shape, sizeOf, type Tensor } from '../onnx/tensor.ts'

/** Fills a new parameter; `fanIn` and `fanOut` follow from its shape. */
export type Initializer = (random: Stream, shape: Shape) => Float32Array

export interface Variable {
  name: string
  shape: Shape
  init: Initializer
}

export interface Variables {
  /** In the order in which the forward pass meets them. */
  parameters: Variable[]
  buffers: Variable[]
}

/** How programs name the tensors that belong to a variable: its value, and what goes beside it. No other input of a program has a
 *  colon in its name, and no slot has one, so that variables may have any names. */
export const feedName = (variable: string, slot = 'value'): string => `${slot}:${variable}`

/** Declares the values of variables as inputs of a program, by the names of the variables. */
export const declareValues = (
  graph: Graph,
  variables: readonly Pick<Variable, 'name' | 'shape'>[],
): Map<string, Value> =>
  new Map(variables.map(({ name, shape }) => [name, addInput(graph, feedName(name), 'float32', shape)]))

/** Values of variables as feeds of a program. */
export const valueFeeds = (state: Iterable<readonly [string, Tensor]>): Record<string, Tensor> =>
  Object.fromEntries(Array.from(state, ([name, values]) => [feedName(name), values]))

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
  /** Fresh numbers in (0, 1], where the build was given keys to draw them with; null elsewhere. */
  uniforms: ((shape: Shape) => Value) | null
}

/** Runs a build once, in evaluation mode, to learn which variables it declares. */
export function declare<Output>(build: (scope: Scope) => Output): Variables & { output: Output } {
  const parameters: Variable[] = []
  const buffers: Variable[] = []
  const into = (list: Variable[]) => (name: string, shape: Shape, init: Initializer) => {
    if ([...parameters, ...buffers].some((known) => known.name === name))
      throw new Error(`two variables are named ${name}`)
    list.push({ name, shape, init })
    return { name, type: 'float32' as const, shape }
  }
  const output = build({
    ops: opsFor(newGraph()),
    training: false,
    parameter: into(parameters),
    buffer: into(buffers),
    update: () => {},
    uniforms: null,
  })
  return { parameters, buffers, output }
}

/** The scope of a build whose variables have values already. */
export function scopeOver(
  ops: Ops,
  values: ReadonlyMap<string, Value>,
  { training, uniforms = null }: { training: boolean; uniforms?: Scope['uniforms'] },
): { scope: Scope; updates: Map<string, Value> } {
  const updates = new Map<string, Value>()
  const find = (name: string) => {
    const value = values.get(name)
    if (!value) throw new Error(`no value for ${name}; given: ${[...values.keys()].join(', ')}`)
    return value
  }
  const update = (name: string, value: Value) => void updates.set(name, value)
  return { scope: { ops, training, parameter: find, buffer: find, update, uniforms }, updates }
}

/** How many numbers the parameters hold. */
export const parameterCount = ({ parameters }: Pick<Variables, 'parameters'>): number =>
  parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
