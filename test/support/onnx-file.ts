/** ONNX files as other software writes them, made of plain objects: for what no exporter here can be made to write. */
import proto from 'onnx-proto'
import type { Tensor } from '../../runner/engine/onnx/tensor.ts'

const { ModelProto } = proto.onnx
const utf8 = new TextEncoder()
export const types = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10, float64: 11 } as const

/** A number is an int; `{ float }` is a float. Lists of numbers are ints. */
type AttributeSource =
  | number
  | string
  | readonly number[]
  | { float: number }
  | { floats: readonly number[] }
  | Tensor
  | GraphSource
  | { call: string; type?: number }

export type NodeSource = [
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes?: Record<string, AttributeSource>,
  domain?: string,
]

export interface GraphSource {
  nodes: readonly NodeSource[]
  constants?: Record<string, Tensor>
  /** Element types of inputs by name, in order; what is no float32 is one number. */
  inputs?: Record<string, keyof typeof types>
  outputs: readonly string[]
}

export const tensorSource = (name: string, { type, shape, data }: Tensor) => ({
  name,
  dims: [...shape],
  dataType: types[type],
  rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
})

function attributeSource(name: string, source: AttributeSource): object {
  if (typeof source === 'number') return { name, type: 2, i: source }
  if (typeof source === 'string') return { name, type: 3, s: utf8.encode(source) }
  if (Array.isArray(source)) return { name, type: 7, ints: source }
  if ('float' in source) return { name, type: 1, f: source.float }
  if ('floats' in source) return { name, type: 6, floats: source.floats }
  if ('call' in source) return { name, type: source.type ?? 2, refAttrName: source.call }
  if ('nodes' in source) return { name, type: 5, g: graphSource(source) }
  return { name, type: 4, t: tensorSource('', source as Tensor) }
}

const nodeSource = ([opType, input, output, attributes = {}, domain = '']: NodeSource) => ({
  opType,
  input,
  output,
  domain,
  name: output[0],
  attribute: Object.entries(attributes).map(([name, source]) => attributeSource(name, source)),
})

const valueSource = (name: string, elemType: number, shape: readonly (number | string)[] | undefined) => ({
  name,
  type: {
    tensorType: {
      elemType,
      ...(shape && {
        shape: {
          dim: shape.map((extent) => (typeof extent === 'string' ? { dimParam: extent } : { dimValue: extent })),
        },
      }),
    },
  },
})

const graphSource = ({ nodes, constants = {}, inputs = {}, outputs }: GraphSource) => ({
  name: 'graph',
  node: nodes.map(nodeSource),
  initializer: Object.entries(constants).map(([name, content]) => tensorSource(name, content)),
  input: Object.entries(inputs).map(([name, type]) =>
    valueSource(name, types[type], type === 'float32' ? undefined : []),
  ),
  output: outputs.map((name) => ({ name })),
})

export interface ModelSource extends Omit<GraphSource, 'inputs' | 'outputs'> {
  opset: number
  /** Of `images`; a name leaves an axis open. */
  shape: readonly (number | string)[]
  imageType?: number
  /** The output is `logits`. */
  functions?: readonly {
    name: string
    inputs: readonly string[]
    outputs: readonly string[]
    attributes?: readonly string[]
    nodes: readonly NodeSource[]
    opset?: number
  }[]
}

/** A message of a model, to edit before it becomes bytes. Functions are of the domain `own`. */
export function modelMessage({ opset, shape, imageType = 1, functions = [], ...graph }: ModelSource) {
  return ModelProto.fromObject({
    irVersion: 8,
    opsetImport: [
      { domain: '', version: opset },
      { domain: 'own', version: 1 },
    ],
    graph: {
      ...graphSource({ ...graph, outputs: [] }),
      input: [valueSource('images', imageType, shape)],
      output: [valueSource('logits', 1, undefined)],
    },
    functions: functions.map(({ name, inputs, outputs, attributes = [], nodes, opset: own = opset }) => ({
      ...{ name, domain: 'own', input: inputs, output: outputs, attribute: attributes, node: nodes.map(nodeSource) },
      opsetImport: [
        { domain: '', version: own },
        { domain: 'own', version: 1 },
      ],
    })),
  })
}

export const modelFile = (source: ModelSource): Uint8Array => ModelProto.encode(modelMessage(source)).finish()
