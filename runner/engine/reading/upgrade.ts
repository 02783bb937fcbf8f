/** Nodes of older opsets in the form that they have in opset 21. */
import { at } from '../onnx/arity.ts'
import { int } from '../onnx/graph.ts'
import { int64s } from '../onnx/tensor.ts'
import type { FileNode, Pass } from './file-model.ts'

export const upgraded: Pass = (model) => {
  const constants = new Map(model.constants)
  const addList = (numbers: readonly number[]) => {
    const name = `list ${constants.size}`
    constants.set(name, int64s([numbers.length], numbers))
    return name
  }
  return { ...model, constants, nodes: model.nodes.map((node) => upgrade(node, model.opset, addList)) }
}

/** Brings a node to the form it has in opset 21. Attributes that became inputs are given as constants. */
function upgrade(node: FileNode, opset: number, addList: (numbers: readonly number[]) => string): FileNode {
  const { op, inputs, outputs, attributes } = node
  if (op.startsWith('Reduce') && attributes.axes) {
    const { axes, ...rest } = attributes
    return { ...node, inputs: [at(inputs, 0), addList(axes.value as number[])], attributes: rest }
  }
  if (op === 'Split' && !inputs[1] && opset < 18) {
    return { ...node, attributes: { ...attributes, num_outputs: int(outputs.length) } }
  }
  // Statistics of the batch are the trainer's choice; other outputs only existed for training.
  if (op === 'BatchNormalization') {
    const { training_mode: _, ...rest } = attributes
    return { ...node, outputs: outputs.slice(0, 1), attributes: rest }
  }
  return node
}
