/** The contract of gradients/: one rule per ONNX op, exported under the op's name. */
import type { AtLeast } from '../../../onnx/arity.ts'
import type { InferenceContext, OutputType } from '../../../onnx/geometry.ts'
import type { Value } from '../../../onnx/graph.ts'
import type { Ops } from '../../../onnx/ops.ts'

/** `x` are the inputs of the node; optional ones that are absent count as undefined. */
export interface RuleContext extends InferenceContext {
  /** Adds nodes to the graph that is being differentiated. */
  ops: Ops
  /** Outputs of the node. */
  y: AtLeast<1, Value>
  /** Gradient of the loss for the first output. */
  dy: Value
  /** Gradients for all outputs; null where the loss doesn't depend on one. */
  dys: (Value | null)[]
  /** An optional output of the node, which from now on gives it. Where a rule adds the node once more to have that output,
   *  onnxruntime finds the two equal, cannot make them one, and goes over the graph ten times. */
  optional(index: number, type: OutputType): Value
  /** Whether anyone asks for the gradient of input i; a rule may skip the others. */
  needs(index: number): boolean
}

/** Gives one gradient per input, null for none. A gradient may still have the broadcast shape of the output where the input
 *  was broadcast: the walk sums it back. In the place of a rule, null says that no gradient passes. */
export type Rule = (context: RuleContext) => (Value | null)[]
