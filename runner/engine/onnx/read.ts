/** Reads a classifier that other software exported to ONNX (opset 13 to 21), for any batch size. */
import { at } from './arity.ts'
import { decodeModel, type FileNode } from './decode.ts'
import { fold } from './fold.ts'
import { addInput, addOutput, type Graph, int, type Node, newGraph, numberOf, type Value } from './graph.ts'
import { type Ops, opsFor } from './ops.ts'
import { int64s, type Shape, type Tensor } from './tensor.ts'

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

/** Inputs that set a shape or a bound, so that a float given there is no weight. */
const SETTINGS: Record<string, number[]> = { Resize: [1, 2], Clip: [1, 2], Pad: [2], Dropout: [1] }

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

const ARITHMETIC = ['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Max', 'Min', 'Where']

/** Tells trained tensors from constants: float tensors are parameters, but for single numbers in arithmetic; the statistics of
 *  batch norm are buffers. Arithmetic that meets the images before any parameter is preprocessing and stays constant.
 *  A buffer that two batch norms share, since they were equal on export, becomes two. */
function sortWeights(nodes: FileNode[], input: string, constants: Map<string, Tensor>, weights: Set<string>) {
  const parameters = new Map<string, Tensor>()
  const buffers = new Map<string, Tensor>()
  const seen = new Set([input])
  const learned = new Set<string>()
  for (const node of nodes) {
    const { op, name, inputs, outputs } = node
    const arithmetic = ARITHMETIC.includes(op)
    const onRawImages = inputs.some((own) => seen.has(own) && !learned.has(own))
    inputs.forEach((own, index) => {
      const content = constants.get(own)
      if (!content || !weights.has(own) || SETTINGS[op]?.includes(index)) return
      if (op === 'BatchNormalization' && index > 2) {
        inputs[index] = buffers.has(own) ? `${own} of ${name}` : own
        buffers.set(inputs[index], content)
      } else if (content.type === 'float32' && !(arithmetic && (onRawImages || content.data.length === 1))) {
        parameters.set(own, content)
      }
    })
    if (inputs.some((own) => seen.has(own))) for (const output of outputs) seen.add(output)
    if (inputs.some((own) => learned.has(own) || parameters.has(own))) for (const output of outputs) learned.add(output)
  }
  return { parameters, buffers }
}

/** Parses and checks a model. Dropout passes its input on: exporters leave it out of models at inference, and its draws could
 *  not follow the run's seed. */
export function parseModel(bytes: Uint8Array): ExportedModel {
  const { opset, input, output, constants, weights, nodes: written } = decodeModel(bytes)
  const addList = (numbers: readonly number[]) => {
    const name = `list ${constants.size}`
    constants.set(name, int64s([numbers.length], numbers))
    return name
  }
  const nodes = written.map((node) => upgrade(node, opset, addList))
  const { parameters, buffers } = sortWeights(nodes, input.name, constants, weights)
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
      return tensorNamed(output) ?? missing(output)
    },
  }
}

function missing(name: string): never {
  throw new Error(`the model has no tensor ${name}`)
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
  const [[input = ''], [output = '']] = [inputs, outputs]
  if (op === 'Identity' || op === 'Dropout') {
    const constant = content.get(input)
    if (constant) content.set(output, constant)
    else known.set(output, tensorNamed(input) ?? missing(input))
    return
  }
  if (op === 'Shape') {
    const { shape } = content.get(input) ?? tensorNamed(input) ?? missing(input)
    const extents = shape.slice(numberOf(sketch, 'start', 0), numberOf(sketch, 'end', shape.length))
    content.set(output, int64s([extents.length], extents))
    return
  }
  const result = fold(
    sketch,
    inputs.map((name) => content.get(name)),
  )
  if (result) {
    content.set(output, result)
    return
  }
  const values = inputs.map(tensorNamed)
  if (op === 'BatchNormalization' && batchNorm) {
    const [x, scale, bias, mean, variance] = values as [Value, Value, Value, Value, Value]
    const buffers: [string, string] = [at(inputs, 3), at(inputs, 4)]
    const epsilon = numberOf(sketch, 'epsilon', 1e-5)
    const momentum = numberOf(sketch, 'momentum', 0.9)
    known.set(output, batchNorm(ops, { x, scale, bias, mean, variance, buffers, epsilon, momentum }))
    return
  }
  if (op === 'GroupNormalization' && opset < 21) {
    // [groups] -> [channels]: until opset 21, a group's channels shared scale and bias.
    const [x, ...ofGroups] = values as [Value, Value, Value]
    const channels = at(x.shape, 1)
    const perChannel = ofGroups.map((value) => {
      const groups = at(value.shape, 0)
      return ops.Reshape(ops.Expand(ops.Reshape(value, [groups, 1]), [groups, channels / groups]), [channels])
    })
    values.splice(1, 2, ...perChannel)
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
