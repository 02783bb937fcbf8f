/** Shape arithmetic of exported models: ops whose inputs are known while a graph is being built are computed on the spot. */
import type { AtLeast } from '../onnx/arity.ts'
import type { Node, Value } from '../onnx/graph.ts'
import type { Tensor } from '../onnx/tensor.ts'
import * as rules from './index.ts'
import { type Fold, type FoldContext, LARGEST } from './rule.ts'
import * as shapeRules from './shape.ts'

const folds: Readonly<Record<string, Fold>> = rules
const ofShapes: Readonly<Record<string, shapeRules.ShapeFold>> = shapeRules

/** What is known of an input: its content, or its type and shape alone. */
export type Known = Tensor | Pick<Value, 'type' | 'shape'>

/** The outputs of a node, where all that it asks for is known; undefined where it's no shape arithmetic and stays in the graph. */
export function fold(node: Node, inputs: readonly (Known | undefined)[]): Tensor[] | undefined {
  try {
    const [first] = inputs
    const ofShape = ofShapes[node.op]
    if (ofShape) return first && [ofShape(node, first)]
    const compute = folds[node.op]
    const x = inputs.map((input) => (input && 'data' in input ? { ...input, name: '' } : undefined))
    if (!compute || x.some((input, i) => node.inputs[i] && (!input || input.data.length > LARGEST))) return undefined
    return compute({ node, x: x as unknown as AtLeast<1, FoldContext['x'][0]>, constant: (index) => x[index] })
  } catch {
    return undefined
  }
}
