/** Constant nodes, and copies of constants, become tensors of the file like any other: exporters hold weights in either. */
import type { Attribute } from '../onnx/graph.ts'
import { type Tensor, tensor } from '../onnx/tensor.ts'
import type { FileNode, Pass } from './file-model.ts'
import { int64List } from './int64-list.ts'
import { mapNodes } from './names.ts'

/** Weights that the exporter merged because they were equal get a copy each. */
export const withConstants: Pass = (model) => {
  const literals = new Set(model.literals)
  const mapped = mapNodes(model, (node, constants) => {
    const [[input = ''], [output = '']] = [node.inputs, node.outputs]
    const content = node.op === 'Constant' ? contentOf(node) : node.op === 'Identity' ? constants.get(input) : undefined
    if (!content || !output || constants.has(output)) return [node]
    constants.set(output, content)
    if (node.op === 'Constant' && content.data.length === 1) literals.add(output)
    return []
  })
  return { ...mapped, literals }
}

const scalarOrList = ({ kind, value }: Attribute): Tensor | undefined => {
  if (kind === 'tensor') return value
  if (kind === 'float') return tensor('float32', [], Float32Array.of(value))
  if (kind === 'floats') return tensor('float32', [value.length], Float32Array.from(value))
  if (kind === 'int') return { ...int64List([value]), shape: [] }
  if (kind === 'ints') return int64List(value)
  return undefined
}

/** The content of a Constant node; undefined for text, and where a function's call gives none. */
export function contentOf({ attributes }: FileNode): Tensor | undefined {
  const [attribute] = Object.values(attributes)
  return attribute && scalarOrList(attribute)
}
