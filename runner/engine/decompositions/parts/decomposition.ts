/** The contract of decompositions/: an op written as others, exported under the op's name. */
import type { Node, Value } from '../../onnx/graph.ts'
import type { Ops } from '../../onnx/ops.ts'
import type { Tensor } from '../../onnx/tensor.ts'

export interface DecompositionContext {
  /** Adds nodes to the graph that the op would stand in. */
  ops: Ops
  /** The op as it would stand there, for its attributes and for messages. */
  node: Node
  /** Inputs in the op's order; absent ones are undefined. */
  x: readonly (Value | undefined)[]
  /** The content of an input that is a constant. */
  constant(index: number): Tensor | undefined
}

/** Gives the op's outputs in its order; null for one that can't be had, which may then not be used. */
export type Decomposition = (context: DecompositionContext) => (Value | null)[]

/** Numbers that a decomposition may write out; a file can ask for more in a few bytes. */
const LARGEST = 2 ** 22

/** So many numbers of a table, by their places. Throws before more are made than a graph should hold. */
export function table(node: Node, count: number, entry: (place: number) => number): number[] {
  if (!(count <= LARGEST))
    throw new Error(`${node.op} would be written with a table of ${count} numbers; expected at most ${LARGEST}`)
  return Array.from({ length: count }, (_, place) => entry(place))
}

/** Input `index`, for ops that must have it. */
export function input({ node, x }: Pick<DecompositionContext, 'node' | 'x'>, index: number): Value {
  const value = x[index]
  if (!value) throw new Error(`${node.op}: expected an input ${index}, got ${x.length} inputs`)
  return value
}
