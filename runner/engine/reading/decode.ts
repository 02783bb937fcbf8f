/** ONNX protobuf bytes to plain data: nodes and tensors by name, checked as far as that goes without knowing the ops. */
import proto from 'onnx-proto'
import { elementTypeOf } from '../onnx/element-types.ts'
import type { Attribute } from '../onnx/graph.ts'
import { OPSET } from '../onnx/model.ts'
import { arrays, int64s, type Tensor, tensor } from '../onnx/tensor.ts'
import type { FileInput, FileModel, FileNode } from './file-model.ts'

const { onnx } = proto
const OLDEST_OPSET = 13
const EXTERNAL = 1

// Decoded messages are of these classes, whose fields have protobuf's defaults; their declared parts may lack fields.
type AttributeProto = InstanceType<typeof onnx.AttributeProto>
type GraphProto = InstanceType<typeof onnx.GraphProto>
type NodeProto = InstanceType<typeof onnx.NodeProto>
type TensorProto = InstanceType<typeof onnx.TensorProto>
type ValueInfoProto = InstanceType<typeof onnx.ValueInfoProto>
type ModelProto = InstanceType<typeof onnx.ModelProto>

const textOf = (bytes: Uint8Array | null | undefined) => new TextDecoder().decode(bytes ?? new Uint8Array())

function tensorFrom(source: TensorProto): Tensor {
  if (Number(source.dataLocation ?? 0) === EXTERNAL) {
    const file = source.externalData?.find(({ key }) => key === 'location')?.value
    throw new Error(`the weights of ${source.name} lie in another file (${file}); export the model into a single file`)
  }
  const type = elementTypeOf(source.dataType ?? 0)
  const shape = (source.dims ?? []).map(Number)
  const array = arrays[type]
  if (source.rawData && source.rawData.length > 0) {
    // A copy of its own: aligned for the array, and no view of a Buffer's pool.
    const bytes = new Uint8Array(source.rawData)
    return tensor(type, shape, new array(bytes.buffer, 0, bytes.length / array.BYTES_PER_ELEMENT))
  }
  if (type === 'int64')
    return tensor(
      type,
      shape,
      BigInt64Array.from(source.int64Data ?? [], (v) => BigInt(`${v}`)),
    )
  const numbers = { float32: source.floatData, float64: source.doubleData }[type as 'float32'] ?? source.int32Data ?? []
  return tensor(type, shape, arrays[type as 'float32'].from(numbers))
}

function attributeFrom(source: AttributeProto): Attribute | undefined {
  switch (Number(source.type)) {
    case 1:
      return { kind: 'float', value: source.f }
    case 2:
      return { kind: 'int', value: Number(source.i) }
    case 3:
      return { kind: 'string', value: textOf(source.s) }
    case 4:
      return { kind: 'tensor', value: tensorFrom(source.t as TensorProto) }
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

function messageOf(bytes: Uint8Array): { graph: GraphProto; opsetImport: ModelProto['opsetImport'] } {
  let model: ModelProto | undefined
  try {
    model = onnx.ModelProto.decode(bytes)
  } catch {}
  if (!model?.graph?.node?.length || !model.opsetImport?.length) {
    throw new Error(
      `expected an ONNX model, got ${bytes.length} bytes that are none; export one with torch.onnx.export`,
    )
  }
  return { graph: model.graph as GraphProto, opsetImport: model.opsetImport }
}

/** Inputs of the graph that aren't weights. */
const inputsOf = (graph: GraphProto): FileInput[] => {
  const weights = new Set((graph.initializer as TensorProto[]).map(({ name }) => name))
  return (graph.input as ValueInfoProto[])
    .filter(({ name }) => !weights.has(name))
    .map(({ name, type }) => ({
      name,
      type: elementTypeOf(type?.tensorType?.elemType ?? 0),
      shape: (type?.tensorType?.shape?.dim ?? []).map(({ dimValue }) => Number(dimValue ?? 0) || null),
    }))
}

/** The content of a Constant node. */
function constantOf(attributes: Record<string, Attribute>, name: string): Tensor {
  const [key, attribute] = Object.entries(attributes)[0] ?? []
  if (attribute?.kind === 'tensor') return attribute.value
  if (attribute?.kind === 'float') return tensor('float32', [], Float32Array.of(attribute.value))
  if (attribute?.kind === 'floats')
    return tensor('float32', [attribute.value.length], Float32Array.from(attribute.value))
  if (attribute?.kind === 'int') return int64s([], [attribute.value])
  if (attribute?.kind === 'ints') return int64s([attribute.value.length], attribute.value)
  throw new Error(`Constant (node ${name}) has no number or tensor, but ${key}`)
}

/** Weights that the exporter merged because they were equal get a copy each. */
export function decodeModel(bytes: Uint8Array): FileModel {
  const { graph, opsetImport } = messageOf(bytes)
  const opset = Number(opsetImport.find(({ domain }) => !domain || domain === 'ai.onnx')?.version ?? 0)
  if (opset < OLDEST_OPSET || opset > OPSET) {
    throw new Error(`the model has opset ${opset}; export it with an opset from ${OLDEST_OPSET} to ${OPSET}`)
  }
  const constants = new Map((graph.initializer as TensorProto[]).map((weight) => [weight.name, tensorFrom(weight)]))
  const weights = new Set(constants.keys())
  const nodes: FileNode[] = []
  for (const source of graph.node as NodeProto[]) {
    const { opType: op, domain, output: outputs } = source
    const inputs = [...source.input]
    const [[input = ''], [output = '']] = [inputs, outputs]
    const name = source.name || output
    if (domain && domain !== 'ai.onnx')
      throw new Error(`${op} (node ${name}) is of the domain ${domain}; export with standard ops only`)
    const attributes: Record<string, Attribute> = {}
    for (const attribute of source.attribute as AttributeProto[]) {
      const content = attributeFrom(attribute)
      if (!content) throw new Error(`${op} (node ${name}) holds a graph or an unknown attribute, ${attribute.name}`)
      attributes[attribute.name] = content
    }
    const weight = op === 'Identity' && weights.has(input) ? constants.get(input) : undefined
    if (weight) {
      constants.set(output, weight)
      weights.add(output)
    } else if (op === 'Constant') {
      constants.set(output, constantOf(attributes, name))
    } else {
      nodes.push({ op, name, inputs, outputs, attributes })
    }
  }

  const outputs = (graph.output as ValueInfoProto[]).map(({ name }) => name)
  return { opset, inputs: inputsOf(graph), outputs, constants, weights, nodes }
}
