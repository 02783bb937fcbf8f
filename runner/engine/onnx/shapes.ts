/** Shape and type of each op's outputs from those of its inputs (https://onnx.ai/onnx/operators/, opset 21). */
import type { Inference, InferenceContext, OutputType } from './geometry.ts'
import { describe, type Node, type Value } from './graph.ts'
import * as rules from './shapes/index.ts'

const inferences: Readonly<Record<string, Inference>> = rules

/** Types and shapes of a node's outputs. Throws for an op without a shape rule, naming the node. */
export function inferOutputs(
  node: Node,
  [first, ...rest]: readonly Value[],
  constant: InferenceContext['constant'],
): OutputType[] {
  const infer = inferences[node.op]
  if (!infer) throw new Error(`no shape rule for ${describe(node)}; export ${node.op} from runner/engine/onnx/shapes/`)
  if (!first) throw new Error(`${describe(node)} has no inputs`)
  return infer({ node, x: [first, ...rest], constant })
}
