/** Graphs to ONNX protobuf bytes. */
import proto from 'onnx-proto'
import { dataTypeOf } from './element-types.ts'
import type { Attribute, FunctionBody, Graph, Node, Value } from './graph.ts'
import type { Tensor } from './tensor.ts'

const { onnx } = proto
/** onnxruntime's CUDA provider lacks kernels for some ops of opset 22, so graphs stay at 21. */
export const OPSET = 21
const IR_VERSION = 8
const kinds = { float: 1, int: 2, string: 3, tensor: 4, graph: 5, floats: 6, ints: 7, strings: 8 } as const
const utf8 = new TextEncoder()

const valueInfo = ({ name, type, shape }: Value) => ({
  name,
  type: {
    tensorType: {
      elemType: dataTypeOf(type),
      shape: { dim: shape.map((extent) => (extent < 0 ? { dimParam: 'steps' } : { dimValue: extent })) },
    },
  },
})

const tensorProto = ({ type, shape, data }: Tensor, name = '') => ({
  name,
  dims: [...shape],
  dataType: dataTypeOf(type),
  rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
})

function attributeProto(name: string, { kind, value }: Attribute) {
  const type = kinds[kind]
  switch (kind) {
    case 'int':
      return { name, type, i: value }
    case 'float':
      return { name, type, f: value }
    case 'ints':
      return { name, type, ints: [...value] }
    case 'floats':
      return { name, type, floats: [...value] }
    case 'string':
      return { name, type, s: utf8.encode(value) }
    case 'strings':
      return { name, type, strings: value.map((entry) => utf8.encode(entry)) }
    case 'tensor':
      return { name, type, t: tensorProto(value) }
    case 'graph':
      return { name, type, g: graphProto(value) }
  }
}

const nodeProto = ({ op, domain, inputs, outputs, attributes }: Node) => ({
  opType: op,
  domain,
  name: outputs.find(Boolean)?.name ?? '',
  input: inputs.map((input) => input?.name ?? ''),
  output: outputs.map((output) => output?.name ?? ''),
  attribute: Object.entries(attributes).map(([name, attribute]) => attributeProto(name, attribute)),
})

type GraphProto = NonNullable<Parameters<typeof onnx.GraphProto.create>[0]>

function graphProto(graph: Graph): GraphProto {
  return {
    name: 'palimpsest',
    input: graph.inputs.map(valueInfo),
    output: graph.outputs.map(valueInfo),
    initializer: [...graph.initializers].map(([value, content]) => tensorProto(content, value.name)),
    node: graph.nodes.map(nodeProto),
  }
}

const opsetImport = [
  { domain: '', version: OPSET },
  { domain: 'palimpsest', version: 1 },
  { domain: 'com.microsoft', version: 1 },
  { domain: 'com.microsoft.nchwc', version: 1 },
]

function functionProto({ name, graph }: FunctionBody, attributes: string[]) {
  const constants = [...graph.initializers].map(([value, content]) =>
    nodeProto({
      op: 'Constant',
      domain: '',
      inputs: [],
      outputs: [value],
      attributes: { value: { kind: 'tensor', value: content } },
    }),
  )
  return {
    name,
    domain: 'palimpsest',
    opsetImport,
    input: graph.inputs.map((value) => value.name),
    output: graph.outputs.map((value) => value.name),
    attribute: attributes,
    node: [...constants, ...graph.nodes.map(nodeProto)],
  }
}

/** Attribute names with which each function is called anywhere in a graph. */
function callAttributes(graph: Graph, found = new Map<string, Set<string>>()): Map<string, Set<string>> {
  for (const node of graph.nodes) {
    if (node.domain === 'palimpsest') {
      const names = found.get(node.op) ?? new Set()
      for (const name of Object.keys(node.attributes)) names.add(name)
      found.set(node.op, names)
    }
    for (const attribute of Object.values(node.attributes)) {
      if (attribute.kind === 'graph') callAttributes(attribute.value, found)
    }
  }
  for (const { graph: body } of found.size ? graph.functions.values() : []) {
    for (const node of body.nodes)
      if (node.domain === 'palimpsest' && !found.has(node.op)) found.set(node.op, new Set(Object.keys(node.attributes)))
  }
  return found
}

/** Bytes of an ONNX model whose main graph is `graph`, with the functions it calls. */
export function modelBytes(graph: Graph): Uint8Array {
  const called = callAttributes(graph)
  const functions = [...graph.functions.values()].flatMap((body) => {
    const attributes = called.get(body.name)
    return attributes ? [functionProto(body, [...attributes].sort())] : []
  })
  const model = { irVersion: IR_VERSION, producerName: 'palimpsest', opsetImport, graph: graphProto(graph), functions }
  return onnx.ModelProto.encode(onnx.ModelProto.create(model)).finish()
}
