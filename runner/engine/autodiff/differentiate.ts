/** The walk: a forward graph in, gradient nodes added to it. Rules live in gradients/. */
import { at } from '../onnx/arity.ts'
import type { OutputType } from '../onnx/geometry.ts'
import { describe, type Graph, type Node, type Value } from '../onnx/graph.ts'
import { type Ops, opsFor } from '../onnx/ops.ts'
import * as gradients from './gradients/index.ts'
import type { Rule, RuleContext } from './gradients/parts/rule.ts'

export const standardRules: Readonly<Record<string, Rule | null>> = gradients

/** Functions of the domain `palimpsest` are named `Name_variant`; their rule is that of `Name`. */
export const ruleName = ({ op, domain }: Node): string => (domain === 'palimpsest' ? op.slice(0, op.indexOf('_')) : op)

/** Sums a gradient over the axes along which its input was broadcast. */
function unbroadcast(ops: Ops, gradient: Value, { shape }: Value): Value {
  if (gradient.shape.join() === shape.join()) return gradient
  const extra = gradient.shape.length - shape.length
  const axes = gradient.shape.flatMap((extent, axis) =>
    axis < extra || (shape[axis - extra] === 1 && extent !== 1) ? [axis] : [],
  )
  return ops.Reshape(ops.ReduceSum(gradient, axes), shape)
}

/** Output `index` of a node of the graph, which gives it from now on if it did not. */
function withOutput(graph: Graph, node: Node, index: number, type: OutputType): Value {
  const place = graph.nodes.findIndex(({ outputs }) => outputs[0] === node.outputs[0])
  const current = at(graph.nodes, place)
  const value = current.outputs[index] ?? { name: graph.freshName(node.op), ...type }
  const outputs = Array.from(
    { length: Math.max(index + 1, current.outputs.length) },
    (_, i) => current.outputs[i] ?? null,
  )
  outputs[index] = value
  graph.nodes[place] = { ...current, outputs }
  return value
}

/** Adds the gradients of a scalar `loss` for the values `wrt` to the graph and gives them in the same order.
 *  Reverse-mode accumulation: each node on a path from `wrt` to the loss is visited once.
 *  Throws for an op without a rule, for a loss that depends on none of the values and, unless `absent` gives it zero, for a value
 *  that the loss doesn't depend on. */
export function differentiate(
  graph: Graph,
  loss: Value,
  wrt: readonly Value[],
  { absent = 'refused' }: { absent?: 'refused' | 'zero' } = {},
): Value[] {
  const ops = opsFor(graph)
  const forward = [...graph.nodes]
  const active = new Set<Value>(wrt)
  for (const node of forward) {
    if (standardRules[ruleName(node)] === null) continue
    if (node.inputs.some((input) => input && active.has(input)))
      for (const output of node.outputs) if (output) active.add(output)
  }
  const sums = new Map<Value, Value>([[loss, ops.Expand(ops.scalar(loss.type, 1), loss.shape)]])
  const accumulate = (value: Value, gradient: Value) => {
    const sum = sums.get(value)
    sums.set(value, sum ? ops.Add(sum, gradient) : gradient)
  }
  for (const node of forward.reverse()) {
    const dys = node.outputs.map((output) => (output && sums.get(output)) ?? null)
    if (!dys.some(Boolean) || !node.outputs.some((output) => output && active.has(output))) continue
    if (!node.inputs.some((input) => input && active.has(input))) continue
    const rule = standardRules[ruleName(node)]
    if (rule === null) continue
    if (!rule)
      throw new Error(
        `no gradient for ${describe(node)}; export ${ruleName(node)} from runner/engine/autodiff/gradients/`,
      )
    const x = node.inputs as RuleContext['x']
    const found = rule({
      ops,
      node,
      x,
      y: node.outputs as RuleContext['y'],
      dy: dys[0] as Value,
      dys,
      optional: (index, type) => withOutput(graph, node, index, type),
      needs: (index) => !!x[index] && active.has(x[index]),
      constant: (index) => (x[index] ? graph.initializers.get(x[index]) : undefined),
    })
    if (found.slice(x.length).some(Boolean))
      throw new Error(`the rule of ${describe(node)} gives ${found.length} gradients for ${x.length} inputs`)
    found.forEach((gradient, index) => {
      const input = x[index]
      if (gradient && input && active.has(input)) accumulate(input, unbroadcast(ops, gradient, input))
    })
  }
  const any = wrt.some((value) => sums.has(value))
  return wrt.map((value) => {
    const gradient = sums.get(value)
    if (!gradient && any && absent === 'zero') return ops.Expand(ops.scalar(value.type, 0), value.shape)
    if (!gradient) throw new Error(`the loss ${loss.name} does not depend on ${value.name}, so it has no gradient`)
    return gradient
  })
}
