/** Graphs compute in float32. Doubles stay doubles in shape arithmetic, which folds before a graph sees it. */
import { type Attribute, int } from '../onnx/graph.ts'
import { type Tensor, tensor } from '../onnx/tensor.ts'
import type { FileNode, Pass } from './file-model.ts'
import { mapNodes, renamed } from './names.ts'
import { storedType } from './stored-types.ts'

const [FLOAT32, FLOAT64] = [1, 11]
/** Attributes that name an element type. */
const TYPES = ['to', 'dtype', 'output_dtype', 'output_datatype']

/** A tensor as graphs take it. */
export const singlePrecision = (content: Tensor): Tensor =>
  content.type === 'float64'
    ? tensor('float32', content.shape, Float32Array.from(content.data as Float64Array))
    : content

/** Attributes of a node that becomes part of a graph. */
export const inSinglePrecision = (attributes: Record<string, Attribute>): Record<string, Attribute> =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, attribute]) => {
      if (attribute.kind === 'tensor') return [name, { ...attribute, value: singlePrecision(attribute.value) }]
      if (TYPES.includes(name) && attribute.value === FLOAT64) return [name, int(FLOAT32)]
      return [name, attribute]
    }),
  )

/** Weights of float64 become float32, and what computes in float16 or bfloat16 computes in float32. */
export const inFloat32: Pass = (model, { decide }) => {
  const wide = [...model.constants].filter(([, { type, data }]) => type === 'float64' && data.length > 1)
  if (wide.length > 0) decide('weights are stored as float64 and train in float32')
  const constants = new Map(model.constants)
  for (const [name, content] of wide) constants.set(name, singlePrecision(content))
  const names = new Map<string, string>()
  const widenedModel = mapNodes({ ...model, constants }, (node) => [widened(node)])
  // A weight that is cast on its way keeps its name.
  const nodes = widenedModel.nodes.filter(({ op, inputs: [input = ''], outputs: [output = ''], attributes }) => {
    const cast = op === 'Cast' && attributes.to?.value === FLOAT32 && constants.get(input)?.type === 'float32'
    if (!cast || model.outputs.includes(output)) return true
    names.set(output, input)
    return false
  })
  return names.size > 0 ? { ...widenedModel, nodes: renamed(nodes, names) } : widenedModel
}

function widened(node: FileNode): FileNode {
  const named = TYPES.find((name) => node.attributes[name]?.kind === 'int')
  if (named === undefined) return node
  const stored = storedType(node.attributes[named]?.value as number, `a result of ${node.op} (node ${node.name})`)
  if (stored.type === stored.name) return node
  if (stored.type === 'float32') return { ...node, attributes: { ...node.attributes, [named]: int(FLOAT32) } }
  return {
    ...node,
    unusable: `it gives ${stored.name}, which only tensors of the file can be; export the model in float32`,
  }
}
