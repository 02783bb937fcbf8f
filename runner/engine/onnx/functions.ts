/** Model-local functions: what standard ops express badly, under a name of its own in the domain `palimpsest`. */
import { newGraph, type Value } from './graph.ts'
import { type AttributeInput, type Ops, opsFor } from './ops.ts'

/** As many values as a list has. */
type Values<List extends readonly Value[]> = { -readonly [Index in keyof List]: Value }

/** Adds a call of the function `name`, defining its body on first use. Bodies depend on static shapes, so `variant` tells
 *  those of one name apart; onnxruntime inlines the body, another executor can map name and attributes to its own kernel. */
export function callFunction<const Inputs extends readonly Value[], const Outputs extends readonly Value[]>(
  ops: Ops,
  {
    name,
    variant,
    inputs,
    attributes = {},
  }: { name: string; variant: string; inputs: Inputs; attributes?: Record<string, AttributeInput> },
  body: (ops: Ops, inputs: Values<Inputs>) => Outputs,
): Values<Outputs> {
  const { graph, emit } = ops
  const id = `${name}_${variant.replace(/[^A-Za-z0-9]+/g, '_')}`
  let called = graph.functions.get(id)
  if (!called) {
    const inner = newGraph(graph)
    inner.inputs = inputs.map(({ type, shape }) => ({ name: inner.freshName('in'), type, shape }))
    inner.outputs = [...body(opsFor(inner), inner.inputs as Values<Inputs>)]
    called = { name: id, graph: inner }
    graph.functions.set(id, called)
  }
  return emit(id, inputs, attributes, { domain: 'palimpsest', types: called.graph.outputs }) as Values<Outputs>
}

/** x itself, through which no gradient passes. */
export const stopGradient = (ops: Ops, x: Value): Value => {
  const extents = x.shape.map((extent) => (extent < 0 ? 'open' : extent))
  const variant = [x.type, ...extents].join('x')
  return callFunction(ops, { name: 'StopGradient', variant, inputs: [x] }, (inner, [x]) => [inner.Identity(x)])[0]
}
