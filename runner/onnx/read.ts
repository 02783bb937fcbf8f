/** Reads a classifier that other software exported to ONNX (opset 13 to 21), for any batch size. */
import proto from 'onnx-proto'
import { fold } from './fold.ts'
import {
  type Attribute,
  addInput,
  addOutput,
  type Graph,
  int,
  type Node,
  newGraph,
  numberOf,
  type Value,
} from './graph.ts'
import { OPSET } from './model.ts'
import { type Ops, opsFor } from './ops.ts'
import { elementTypeOf } from './shapes.ts'
import { arrays, int64s, type Shape, type Tensor, tensor } from './tensor.ts'

const { onnx } = proto
const OLDEST_OPSET = 13
const EXTERNAL = 1

/** A node of the file, with tensors by name; an empty name is an absent input or output. */
interface FileNode {
  op: string
  name: string
  inputs: string[]
  outputs: string[]
  attributes: Record<string, Attribute>
}

/** Tensors of a batch normalization that training with batch statistics needs by name. */
export interface BatchNormNode {
  x: Value
  scale: Value
  bias: Value
  mean: Value
  variance: Value
  /** Names of the buffers that hold mean and variance. */
  buffers: [mean: string, variance: string]
  epsilon: number
  /** Share that running statistics keep of themselves, as ONNX defines it. */
  momentum: number
}

/** An exported classifier: trained tensors apart from the nodes that use them. */
export interface ExportedModel {
  /** Shape of one example, without the batch. */
  inputShape: Shape
  /** Weights and biases, by their names in the file. */
  parameters: Map<string, Tensor>
  /** Running means and variances of batch norm. */
  buffers: Map<string, Tensor>
  /** Adds the forward pass for the batch that `x` holds, with the parameters and buffers as `values`. `batchNorm` may put
   *  something in the place of batch norm at inference. */
  forward(
    ops: Ops,
    x: Value,
    values: ReadonlyMap<string, Value>,
    options?: { batchNorm?: (ops: Ops, node: BatchNormNode) => Value },
  ): Value
}

type AttributeProto = InstanceType<typeof onnx.AttributeProto>
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
      return { kind: 'float', value: source.f! }
    case 2:
      return { kind: 'int', value: Number(source.i) }
    case 3:
      return { kind: 'string', value: textOf(source.s) }
    case 4:
      return { kind: 'tensor', value: tensorFrom(source.t as TensorProto) }
    case 6:
      return { kind: 'floats', value: source.floats! }
    case 7:
      return { kind: 'ints', value: source.ints!.map(Number) }
    default:
      return undefined
  }
}

function decode(bytes: Uint8Array): ModelProto {
  let model: ModelProto | undefined
  try {
    model = onnx.ModelProto.decode(bytes)
  } catch {}
  if (!model?.graph?.node?.length || !model.opsetImport?.length) {
    throw new Error(
      `expected an ONNX model, got ${bytes.length} bytes that are none; export one with torch.onnx.export`,
    )
  }
  const opset = Number(model.opsetImport.find(({ domain }) => !domain || domain === 'ai.onnx')?.version ?? 0)
  if (opset < OLDEST_OPSET || opset > OPSET) {
    throw new Error(`the model has opset ${opset}; export it with an opset from ${OLDEST_OPSET} to ${OPSET}`)
  }
  return model
}

/** Extents of a graph input; null where they are left open. */
const extentsOf = ({ type }: ValueInfoProto): (number | null)[] =>
  (type?.tensorType?.shape?.dim ?? []).map(({ dimValue }) => Number(dimValue ?? 0) || null)

/** The one input of the graph that isn't a weight: [batch, ...shape of an example]. */
function inputOf(model: ModelProto): { name: string; shape: number[] } {
  const graph = model.graph!
  const weights = new Set(graph.initializer!.map(({ name }) => name))
  const inputs = (graph.input as ValueInfoProto[]).filter(({ name }) => !weights.has(name!))
  if (inputs.length !== 1) {
    throw new Error(`expected one input, the images; the model has ${inputs.length}: ${inputs.map((i) => i.name)}`)
  }
  const { name } = inputs[0]!
  const [, ...shape] = extentsOf(inputs[0]!)
  const open = shape.indexOf(null)
  if (shape.length === 0 || open >= 0) {
    throw new Error(`axis ${open + 1} of input ${name} is dynamic; fix every axis but the batch on export`)
  }
  return { name: name!, shape: shape as number[] }
}

/** Inputs that set a shape or a bound, so that a float given there is no weight. */
const SETTINGS: Record<string, number[]> = { Resize: [1, 2], Clip: [1, 2], Pad: [2], Dropout: [1] }

/** Brings a node to the form it has in opset 21. Attributes that became inputs are given as constants. */
function upgrade(node: FileNode, opset: number, addList: (numbers: readonly number[]) => string): FileNode {
  const { op, inputs, outputs, attributes } = node
  if (op.startsWith('Reduce') && attributes.axes) {
    const { axes, ...rest } = attributes
    return { ...node, inputs: [inputs[0]!, addList(axes.value as number[])], attributes: rest }
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

/** Tells trained tensors from constants: float tensors of more than one entry are parameters, the statistics of batch norm are
 *  buffers. What meets the images before any parameter does, element by element, is preprocessing and stays constant.
 *  A buffer that two batch norms share, since they were equal on export, becomes two. */
function sortWeights(nodes: FileNode[], input: string, constants: Map<string, Tensor>, weights: Set<string>) {
  const parameters = new Map<string, Tensor>()
  const buffers = new Map<string, Tensor>()
  const seen = new Set([input])
  const learned = new Set<string>()
  for (const node of nodes) {
    const { op, name, inputs, outputs } = node
    const onRawImages = inputs.some((own) => seen.has(own) && !learned.has(own))
    const preprocessing = onRawImages && ['Add', 'Sub', 'Mul', 'Div'].includes(op)
    inputs.forEach((own, index) => {
      const content = constants.get(own)
      if (!content || !weights.has(own) || SETTINGS[op]?.includes(index)) return
      if (op === 'BatchNormalization' && index > 2) {
        inputs[index] = buffers.has(own) ? `${own} of ${name}` : own
        buffers.set(inputs[index], content)
      } else if (content.type === 'float32' && content.data.length > 1 && !preprocessing) parameters.set(own, content)
    })
    if (inputs.some((own) => seen.has(own))) for (const output of outputs) seen.add(output)
    if (inputs.some((own) => learned.has(own) || parameters.has(own))) for (const output of outputs) learned.add(output)
  }
  return { parameters, buffers }
}

/** Parses and checks a model. Weights that the exporter merged because they were equal get a copy each. Dropout passes its
 *  input on: exporters leave it out of models at inference, and its draws could not follow the run's seed. */
export function parseModel(bytes: Uint8Array): ExportedModel {
  const model = decode(bytes)
  const graph = model.graph!
  const opset = Number(model.opsetImport!.find(({ domain }) => !domain || domain === 'ai.onnx')!.version)
  const input = inputOf(model)
  if (graph.output!.length !== 1)
    throw new Error(`expected one output, the logits; the model has ${graph.output!.length}`)

  const constants = new Map<string, Tensor>()
  for (const initializer of graph.initializer!) constants.set(initializer.name!, tensorFrom(initializer as TensorProto))
  const weights = new Set(constants.keys())
  const addList = (numbers: readonly number[]) => {
    const name = `list ${constants.size}`
    constants.set(name, int64s([numbers.length], numbers))
    return name
  }

  const nodes: FileNode[] = []
  for (const source of graph.node!) {
    const [inputs, outputs] = [[...source.input!], source.output!]
    const name = source.name || outputs[0]!
    const op = source.opType!
    if (source.domain && source.domain !== 'ai.onnx')
      throw new Error(`${op} (node ${name}) is of the domain ${source.domain}; export with standard ops only`)
    const attributes: Record<string, Attribute> = {}
    for (const attribute of source.attribute as AttributeProto[]) {
      const content = attributeFrom(attribute)
      if (!content) throw new Error(`${op} (node ${name}) holds a graph or an unknown attribute, ${attribute.name}`)
      attributes[attribute.name!] = content
    }
    if (op === 'Constant') {
      constants.set(outputs[0]!, constantOf(attributes, name))
    } else if (op === 'Identity' && weights.has(inputs[0]!)) {
      constants.set(outputs[0]!, constants.get(inputs[0]!)!)
      weights.add(outputs[0]!)
    } else {
      nodes.push(upgrade({ op, name, inputs, outputs, attributes }, opset, addList))
    }
  }

  const { parameters, buffers } = sortWeights(nodes, input.name, constants, weights)
  const output = graph.output![0]!.name!

  return {
    inputShape: input.shape,
    parameters,
    buffers,
    forward(ops, x, values, { batchNorm } = {}) {
      const known = new Map<string, Value>([...values, [input.name, x]])
      const content = new Map(constants)
      for (const name of values.keys()) content.delete(name)
      const tensorNamed = (name: string): Value | null => {
        if (!name) return null
        const value = known.get(name) ?? ops.constant(content.get(name) ?? missing(name), name)
        known.set(name, value)
        return value
      }
      for (const node of nodes) {
        try {
          addNode(ops, node, { opset, known, content, tensorNamed, batchNorm })
        } catch (error) {
          const hint = node.op === 'Reshape' ? '; was it exported with a dynamic batch axis?' : ''
          throw new Error(`cannot use ${node.op} (node ${node.name}): ${(error as Error).message}${hint}`)
        }
      }
      return tensorNamed(output)!
    },
  }
}

function missing(name: string): never {
  throw new Error(`the model has no tensor ${name}`)
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

interface Building {
  opset: number
  /** Tensors of the graph, by their names in the file. */
  known: Map<string, Value>
  /** Constants that no node of the graph has needed yet, and those that shape arithmetic found. */
  content: Map<string, Tensor>
  tensorNamed(name: string): Value | null
  batchNorm: ((ops: Ops, node: BatchNormNode) => Value) | undefined
}

function addNode(ops: Ops, { op, inputs, outputs, attributes }: FileNode, building: Building): void {
  const { opset, known, content, tensorNamed, batchNorm } = building
  const sketch: Node = {
    op,
    domain: '',
    inputs: inputs.map((name) => (name ? ({ name } as Value) : null)),
    outputs: [],
    attributes,
  }
  if (op === 'Identity' || op === 'Dropout') {
    const constant = content.get(inputs[0]!)
    if (constant) content.set(outputs[0]!, constant)
    else known.set(outputs[0]!, tensorNamed(inputs[0]!)!)
    return
  }
  if (op === 'Shape') {
    const { shape } = content.get(inputs[0]!) ?? tensorNamed(inputs[0]!)!
    const extents = shape.slice(numberOf(sketch, 'start', 0), numberOf(sketch, 'end', shape.length))
    content.set(outputs[0]!, int64s([extents.length], extents))
    return
  }
  const result = fold(
    sketch,
    inputs.map((name) => content.get(name)),
  )
  if (result) {
    content.set(outputs[0]!, result)
    return
  }
  const values = inputs.map(tensorNamed)
  if (op === 'BatchNormalization' && batchNorm) {
    const [x, scale, bias, mean, variance] = values as [Value, Value, Value, Value, Value]
    const buffers: [string, string] = [inputs[3]!, inputs[4]!]
    const epsilon = numberOf(sketch, 'epsilon', 1e-5)
    const momentum = numberOf(sketch, 'momentum', 0.9)
    known.set(outputs[0]!, batchNorm(ops, { x, scale, bias, mean, variance, buffers, epsilon, momentum }))
    return
  }
  if (op === 'GroupNormalization' && opset < 21) {
    // [groups] -> [channels]: until opset 21, a group's channels shared scale and bias.
    const channels = values[0]!.shape[1]!
    for (const i of [1, 2]) {
      const groups = values[i]!.shape[0]!
      const column = ops.Expand(ops.Reshape(values[i]!, [groups, 1]), [groups, channels / groups])
      values[i] = ops.Reshape(column, [channels])
    }
  }
  ops.emit(op, values, attributes, { outputs: outputs.length, hints: outputs }).forEach((value, i) => {
    if (outputs[i]) known.set(outputs[i], value)
  })
}

/** A model as a graph for one batch size: its parameters and buffers are graph inputs, `x` and `logits` its input and output. */
export function readModel(
  bytes: Uint8Array,
  { batchSize }: { batchSize: number },
): { graph: Graph; input: Value; logits: Value; parameters: Map<Value, Tensor>; buffers: Map<Value, Tensor> } {
  const model = parseModel(bytes)
  const graph = newGraph()
  const input = addInput(graph, 'x', 'float32', [batchSize, ...model.inputShape])
  const declare = (tensors: Map<string, Tensor>) =>
    new Map([...tensors].map(([name, content]) => [addInput(graph, name, content.type, content.shape), content]))
  const [parameters, buffers] = [declare(model.parameters), declare(model.buffers)]
  const values = new Map([...parameters.keys(), ...buffers.keys()].map((value) => [value.name, value]))
  const logits = addOutput(graph, 'logits', model.forward(opsFor(graph), input, values))
  return { graph, input, logits, parameters, buffers }
}
