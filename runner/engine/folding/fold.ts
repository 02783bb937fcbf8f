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

/** How many entries may still be computed for a model, so that no file can ask for hours: some seconds' worth. */
export interface Budget {
  entries: number
}
export const newBudget = (): Budget => ({ entries: 2 ** 23 })

/** The outputs of a node, where all that it asks for is known; undefined where it's no shape arithmetic, or more than the budget
 *  has left for, and stays in the graph. */
export function fold(
  node: Node,
  inputs: readonly (Known | undefined)[],
  budget: Budget = newBudget(),
): Tensor[] | undefined {
  try {
    const [first] = inputs
    const ofShape = ofShapes[node.op]
    if (ofShape) return first && [ofShape(node, first)]
    const compute = folds[node.op]
    const x = inputs.map((input) => (input && 'data' in input ? { ...input, name: '' } : undefined))
    if (!compute || x.some((input, i) => node.inputs[i] && (!input || input.data.length > LARGEST))) return undefined
    if (budget.entries <= 0) return undefined
    const results = compute({ node, x: x as unknown as AtLeast<1, FoldContext['x'][0]>, constant: (index) => x[index] })
    budget.entries -= [...x, ...results].reduce((sum, each) => sum + (each?.data.length ?? 0), 0)
    return results
  } catch {
    return undefined
  }
}
