/** ONNX protobuf bytes to plain data: nodes and tensors by name, checked as far as that goes without knowing the ops. */
import proto from 'onnx-proto'
import type { Attribute } from '../onnx/graph.ts'
import type { Tensor } from '../onnx/tensor.ts'
import { checkParts } from './bounds.ts'
import type { FileFunction, FileGraph, FileInput, FileModel, FileNode, PassContext } from './file-model.ts'
import { shown } from './refusal.ts'
import { storedType } from './stored-types.ts'
import { type TensorSource, tensorFrom } from './tensors.ts'
import { defaultsOfFunctions } from './wire.ts'

const { onnx } = proto
export const OLDEST_OPSET = 9
export const NEWEST_OPSET = 24
/** Graphs within graphs; exporters write two or three. */
const DEEPEST = 16

// Decoded messages are of these classes, whose fields have protobuf's defaults; their declared parts may lack fields.
type AttributeProto = InstanceType<typeof onnx.AttributeProto>
type GraphProto = InstanceType<typeof onnx.GraphProto>
type NodeProto = InstanceType<typeof onnx.NodeProto>
type TensorProto = InstanceType<typeof onnx.TensorProto>
type ValueInfoProto = InstanceType<typeof onnx.ValueInfoProto>
type ModelProto = InstanceType<typeof onnx.ModelProto>
type FunctionProto = InstanceType<typeof onnx.FunctionProto>

interface Decoding extends TensorSource {
  /** The opset that nodes are written for, and the names of functions' domains. */
  opset: number
  depth: number
}

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

function attributeFrom(source: AttributeProto, decoding: Decoding): Attribute | undefined {
  switch (Number(source.type)) {
    case 1:
      return { kind: 'float', value: source.f }
    case 2:
      return { kind: 'int', value: Number(source.i) }
    case 3:
      return { kind: 'string', value: textOf(source.s) }
    case 4:
      return source.t
        ? { kind: 'tensor', value: tensorFrom(source.t as TensorProto, decoding, source.name) }
        : undefined
    case 6:
      return { kind: 'floats', value: source.floats }
    case 7:
      return { kind: 'ints', value: source.ints.map(Number) }
    case 8:
      return { kind: 'strings', value: source.strings.map(textOf) }
    default:
      return undefined
  }
}

function nodeFrom(source: NodeProto, decoding: Decoding): FileNode {
  const { opType: op, input: inputs, output: outputs } = source
  const domain = source.domain === 'ai.onnx' ? '' : source.domain
  const name = source.name || outputs[0] || ''
  const node: FileNode = { op, domain, name, inputs, outputs, attributes: {}, opset: decoding.opset }
  // Rules are found by these names in plain objects.
  const odd = [op, ...source.attribute.map(({ name }) => name ?? '')].find((word) => word in {})
  if (odd !== undefined) throw new Error(`no op or attribute is called ${odd} (node ${shown(name)})`)
  for (const attribute of source.attribute as AttributeProto[]) {
    if (attribute.refAttrName) {
      node.references = { ...node.references, [attribute.name]: attribute.refAttrName }
      continue
    }
    if (Number(attribute.type) === 5 && attribute.g) {
      node.graphs = { ...node.graphs, [attribute.name]: graphFrom(attribute.g as GraphProto, decoding) }
      continue
    }
    const content = attributeFrom(attribute, decoding)
    if (content) node.attributes[attribute.name] = content
    else node.unusable = `its attribute ${shown(attribute.name)} is of a kind that no supported op has`
  }
  return node
}

function graphFrom(source: GraphProto, decoding: Decoding): FileGraph {
  const inner = { ...decoding, depth: decoding.depth + 1 }
  if (inner.depth > DEEPEST) throw new Error(`the file nests graphs deeper than ${DEEPEST}; no exporter does`)
  if (source.sparseInitializer.length > 0)
    throw new Error('the file has sparse weights, which do not train; export the model with dense ones')
  const constants = new Map<string, Tensor>()
  for (const weight of source.initializer as TensorProto[]) {
    if (constants.has(weight.name)) throw new Error(`the file has two tensors ${shown(weight.name)}; it is damaged`)
    constants.set(weight.name, tensorFrom(weight, inner))
  }
  return {
    inputs: (source.input as ValueInfoProto[]).map(({ name }) => name).filter((name) => !constants.has(name)),
    outputs: (source.output as ValueInfoProto[]).map(({ name }) => name),
    constants,
    nodes: (source.node as NodeProto[]).map((node) => nodeFrom(node, inner)),
  }
}

function messageOf(bytes: Uint8Array): ModelProto & { graph: GraphProto } {
  checkParts(bytes)
  let model: ModelProto | undefined
  try {
    model = onnx.ModelProto.decode(bytes)
  } catch {}
  if (!model?.graph?.node?.length || !model.opsetImport?.length) {
    throw new Error(
      `expected an ONNX model, got ${bytes.length} bytes that are none; export one with torch.onnx.export`,
    )
  }
  return model as ModelProto & { graph: GraphProto }
}

/** Inputs of the graph that aren't weights. */
const inputsOf = (graph: GraphProto, names: ReadonlySet<string>): FileInput[] =>
  (graph.input as ValueInfoProto[])
    .filter(({ name }) => names.has(name))
    .map(({ name, type }) => {
      const kind = ['sequenceType', 'mapType', 'optionalType', 'sparseTensorType'].find((key) => key in (type ?? {}))
      const what = `the input ${shown(name)}`
      if (!type?.tensorType) throw new Error(`${what} is ${kind ? 'no tensor' : 'of no type'}; expected images`)
      const stored = storedType(type.tensorType.elemType ?? 0, what)
      return {
        name,
        // Graphs compute in float32.
        type: stored.type === 'float64' ? 'float32' : stored.type,
        shape: (type.tensorType.shape?.dim ?? []).map(({ dimValue }) => extentOf(Number(dimValue ?? 0), what)),
      }
    })

function extentOf(extent: number, what: string): number | null {
  if (!Number.isSafeInteger(extent) || extent < 0)
    throw new Error(`${what} has an axis of ${extent}; the file is damaged`)
  return extent || null
}

/** The version of standard ops, which a function may take from its model. */
function opsetOf(imports: ModelProto['opsetImport'], what: string, outer?: number): number {
  const found = imports.find(({ domain }) => !domain || domain === 'ai.onnx')?.version
  const opset = Number(found ?? outer ?? 0)
  if (opset < OLDEST_OPSET || opset > NEWEST_OPSET) {
    throw new Error(
      `${what} has ${found ? `opset ${opset}` : 'no opset of standard ops'}; export it with an opset from ${OLDEST_OPSET} to ${NEWEST_OPSET}`,
    )
  }
  return opset
}

function functionsOf(source: ModelProto, bytes: Uint8Array, decoding: Decoding): Map<string, FileFunction> {
  const functions = new Map<string, FileFunction>()
  if (source.functions.length === 0) return functions
  const defaults = defaultsOfFunctions(bytes)
  ;(source.functions as FunctionProto[]).forEach(
    ({ domain, name, input: inputs, output: outputs, node, opsetImport }, i) => {
      const id = `${domain}.${name}`
      if (functions.has(id)) throw new Error(`the file has two functions ${shown(id)}, and calls don't tell which`)
      const opset = opsetOf(opsetImport, `the function ${shown(id)}`, decoding.opset)
      const own = { ...decoding, opset }
      const nodes = (node as NodeProto[]).map((node) => nodeFrom(node, own))
      const given = (defaults[i] ?? []).flatMap((attribute) => {
        const content = attributeFrom(attribute, own)
        return content ? [[attribute.name, content] as const] : []
      })
      functions.set(id, { inputs, outputs, nodes, defaults: Object.fromEntries(given) })
    },
  )
  return functions
}

/** Throws for bytes that are no model, and for weights that can't be read. */
export function decodeModel(bytes: Uint8Array, { options, decide }: PassContext): FileModel {
  const source = messageOf(bytes)
  const converted = new Set<string>()
  const decoding: Decoding = {
    opset: opsetOf(source.opsetImport, 'the model'),
    depth: 0,
    converted: (type) => void converted.add(type),
    external: besideOf(source.graph, options),
  }
  const { inputs, outputs, constants, nodes } = graphFrom(source.graph, decoding)
  const functions = functionsOf(source, bytes, decoding)
  for (const type of converted) decide(`weights are stored as ${type} and train in float32`)
  return { inputs: inputsOf(source.graph, new Set(inputs)), outputs, constants, nodes, functions }
}

/** Reads files beside the model once each. */
function besideOf({ initializer }: GraphProto, { external }: PassContext['options']): TensorSource['external'] {
  const read = new Map<string, Uint8Array>()
  return (location) => {
    let bytes = read.get(location)
    if (!bytes) {
      if (!external) {
        const where = whereOf(initializer as TensorProto[], location)
        throw new Error(`${where}; keep it beside the model, under that name, and read both`)
      }
      bytes = external(location)
      read.set(location, bytes)
    }
    return bytes
  }
}

/** Such as `the weights of a and 3 more tensors lie in another file (model.data)`. */
function whereOf(weights: readonly TensorProto[], location: string): string {
  const outside = weights.filter(({ externalData }) => externalData.length > 0)
  if (outside.length === 0) return `weights lie in another file (${shown(location)})`
  const files = new Set(outside.map(({ externalData }) => externalData.find(({ key }) => key === 'location')?.value))
  const more = outside.length > 1 ? ` and ${outside.length - 1} more tensors` : ''
  return `the weights of ${shown(outside[0]?.name ?? '')}${more} lie in another file (${shown([...files].join(', '))})`
}
