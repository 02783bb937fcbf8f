/** Graphs compute in float32. Doubles stay doubles in shape arithmetic, which folds before a graph sees it. */
import { type Attribute, int } from '../onnx/graph.ts'
import { floats, numbersOf, type Tensor, tensor } from '../onnx/tensor.ts'
import type { FileNode, Pass } from './file-model.ts'
import { mapNodes, renamed } from './names.ts'
import { shown } from './refusal.ts'
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

/** Weights of float64 and of few bits become float32, and what computes in float16 or bfloat16 computes in float32. */
export const inFloat32: Pass = (model, { decide }) => {
  const constants = new Map(model.constants)
  const stored = new Set<string>()
  for (const [name, content] of model.constants) {
    // Single numbers that Constant nodes make can be of shape arithmetic, which is exact in doubles.
    if (content.type !== 'float64' || model.literals?.has(name)) continue
    stored.add('float64')
    constants.set(name, singlePrecision(content))
  }
  const halves = new Set<string>()
  const { nodes, ...widenedModel } = mapNodes({ ...model, constants }, (node) => [widened(node, halves)])
  const names = new Map<string, string>()
  const kept = nodes.filter(({ op, domain, inputs: [input = ''], outputs: [output = ''], attributes }) => {
    if (op !== 'Cast' || domain || attributes.to?.value !== FLOAT32 || model.outputs.includes(output)) return true
    const content = widenedModel.constants.get(input)
    if (content?.type === 'float32') {
      // A weight that is cast on its way keeps its name.
      names.set(output, input)
      return false
    }
    if (content?.type !== 'int8' && content?.type !== 'uint8') return true
    stored.add(content.type)
    widenedModel.constants.set(output, floats(content.shape, numbersOf(content)))
    return false
  })
  for (const type of stored) decide(`weights are stored as ${type} and train in float32`)
  if (halves.size > 0) decide(`the file computes in ${[...halves].join(' and ')}; here all is float32`)
  return { ...widenedModel, nodes: names.size > 0 ? renamed(kept, names) : kept }
}

/** A node whose result is float32 where the file has a half, which is noted. */
function widened(node: FileNode, halves: Set<string>): FileNode {
  const named = TYPES.find((name) => node.attributes[name]?.kind === 'int')
  if (node.domain) return node
  if (named === undefined) return node.op === 'Cast' ? { ...node, unusable: 'it does not say to what type' } : node
  const stored = storedType(
    node.attributes[named]?.value as number,
    `a result of ${node.op} (node ${shown(node.name)})`,
  )
  if (stored.type === stored.name) return node
  if (stored.type === 'float32') {
    halves.add(stored.name)
    return { ...node, attributes: { ...node.attributes, [named]: int(FLOAT32) } }
  }
  return {
    ...node,
    unusable: `it gives ${stored.name}, which only tensors of the file can be; export the model in float32`,
  }
}
