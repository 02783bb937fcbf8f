/** What a file says of itself, told also where it can't be used: nothing is judged here. */
import proto from 'onnx-proto'

const { onnx } = proto
type ModelProto = InstanceType<typeof onnx.ModelProto>
type GraphProto = InstanceType<typeof onnx.GraphProto>
type NodeProto = InstanceType<typeof onnx.NodeProto>
type TensorProto = InstanceType<typeof onnx.TensorProto>
type ValueInfoProto = InstanceType<typeof onnx.ValueInfoProto>

export interface FileInfo {
  /** Versions by the domain of the ops; the standard one is `ai.onnx`. */
  opsets: Record<string, number>
  /** The program that wrote it, as it calls itself. */
  producer: string
  inputs: Described[]
  outputs: Described[]
  nodes: number
  /** Names of the files beside it that hold weights. */
  external: string[]
}

export interface Described {
  name: string
  /** Such as `float32`. */
  type: string
  /** A name or `?` where the file leaves an extent open. */
  shape: (number | string)[]
}

const EXTERNAL = 1
const types: Record<number, string> = {
  ...{
    1: 'float32',
    2: 'uint8',
    3: 'int8',
    5: 'int16',
    6: 'int32',
    7: 'int64',
    9: 'bool',
    10: 'float16',
    11: 'float64',
  },
  16: 'bfloat16',
}

/** Null for bytes that are no ONNX model. */
export function aboutFile(bytes: Uint8Array): FileInfo | null {
  const model = decoded(bytes)
  if (!model?.graph?.node?.length) return null
  const graph = model.graph as GraphProto
  const stored = new Set(graph.initializer?.map(({ name }) => name))
  const external = new Set<string>()
  gather(graph.initializer as TensorProto[], graph.node as NodeProto[], external)
  for (const { node } of model.functions ?? []) gather([], node as NodeProto[], external)
  return {
    opsets: Object.fromEntries(
      (model.opsetImport ?? []).map((each) => [each.domain || 'ai.onnx', Number(each.version)]),
    ),
    producer: [model.producerName, model.producerVersion].filter(Boolean).join(' '),
    inputs: (graph.input as ValueInfoProto[]).filter(({ name }) => !stored.has(name)).map(described),
    outputs: (graph.output as ValueInfoProto[]).map(described),
    nodes: graph.node.length,
    external: [...external],
  }
}

function decoded(bytes: Uint8Array): ModelProto | null {
  try {
    return onnx.ModelProto.decode(bytes)
  } catch {
    return null
  }
}

function described({ name, type }: ValueInfoProto): Described {
  const { elemType, shape } = type?.tensorType ?? {}
  return {
    name,
    type: types[Number(elemType ?? 0)] ?? 'another type',
    shape: (shape?.dim ?? []).map(({ dimValue, dimParam }) => Number(dimValue ?? 0) || dimParam || '?'),
  }
}

/** Of tensors, and of those that nodes hold, in graphs of theirs too. */
function gather(tensors: readonly TensorProto[], nodes: readonly NodeProto[], into: Set<string>): void {
  for (const { dataLocation, externalData } of tensors) {
    const location = externalData?.find(({ key }) => key === 'location')?.value
    if (Number(dataLocation ?? 0) === EXTERNAL && location) into.add(location)
  }
  for (const attribute of nodes.flatMap((node) => node.attribute ?? [])) {
    if (attribute.t) gather([attribute.t as TensorProto], [], into)
    for (const graph of [attribute.g, ...(attribute.graphs ?? [])]) {
      if (graph) gather((graph.initializer ?? []) as TensorProto[], (graph.node ?? []) as NodeProto[], into)
    }
  }
}
