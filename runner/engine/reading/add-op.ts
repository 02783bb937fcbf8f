/** An op of a file, added to a graph as itself, or as the ops that it is written as. */
import * as decompositions from '../decompositions/index.ts'
import type { Decomposition } from '../decompositions/parts/decomposition.ts'
import type { Attribute, Node, Value } from '../onnx/graph.ts'
import type { Ops } from '../onnx/ops.ts'
import { plainWindow } from './windows.ts'

/** By the names of their ops. */
export const decomposed: Readonly<Record<string, Decomposition>> = decompositions

/** Adds the op and gives its outputs; null where an output can't be had. `outputs` are names for messages, empty for none. */
export function addOp(
  ops: Ops,
  op: string,
  given: readonly (Value | null)[],
  attributes: Readonly<Record<string, Attribute>>,
  outputs: readonly string[],
): (Value | null)[] {
  // An absent input at the end is no input: onnxruntime takes one of Split for its lengths.
  const inputs = given.slice(0, given.findLastIndex((input) => input !== null) + 1)
  const build = decomposed[op]
  if (!build) {
    const { attributes: own, factors } = plainWindow(op, inputs, attributes)
    const [first, ...rest] = ops.emit(op, inputs, own, { outputs: outputs.length, hints: outputs })
    return [factors ? ops.Mul(first, ops.constant(factors)) : first, ...rest]
  }
  const node: Node = {
    op,
    domain: '',
    inputs,
    outputs: outputs.map((name) => (name ? ({ name } as Value) : null)),
    attributes,
  }
  const x = inputs.map((input) => input ?? undefined)
  return build({ ops, node, x, constant: (index) => x[index] && ops.graph.initializers.get(x[index]) })
}
