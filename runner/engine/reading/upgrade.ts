/** Nodes of opset 9 to 24 in the form that they have in opset 21. Where a form depends on shapes, by-shape.ts brings it about
 *  while a graph is built. Ops of opset 22 to 24 take more types than those of 21 and mean the same. */
import { type Attribute, int, string } from '../onnx/graph.ts'
import { OPSET } from '../onnx/model.ts'
import { type Tensor, tensor } from '../onnx/tensor.ts'
import { dependsOnShapes } from './by-shape.ts'
import type { FileNode, Pass } from './file-model.ts'
import { int64List } from './int64-list.ts'
import { freshNames, mapNodes } from './names.ts'

interface Upgrading {
  opset: number
  /** A constant that the node takes in the place of an attribute. */
  constant(content: Tensor): string
  /** The content of an input, where the file has it. */
  contentOf(name: string | undefined): Tensor | undefined
}

/** A rule for nodes of an opset below `before`. */
interface Rule {
  before: number
  upgrade(node: FileNode, upgrading: Upgrading): FileNode
}

const ANY = Number.POSITIVE_INFINITY

const listIn = (attribute: Attribute | undefined) =>
  attribute?.kind === 'ints' || attribute?.kind === 'floats' ? attribute.value : undefined
const numberIn = (attribute: Attribute | undefined) =>
  attribute?.kind === 'int' || attribute?.kind === 'float' ? attribute.value : undefined
const textIn = (attribute: Attribute | undefined) => (attribute?.kind === 'string' ? attribute.value : undefined)

const scalar = (value: number) => tensor('float32', [], Float32Array.of(value))

/** Attributes that became the inputs from `index` on, in this order; what is absent stays so. */
const toInputs =
  (index: number, names: readonly string[], content: (attribute: Attribute) => Tensor | undefined): Rule['upgrade'] =>
  (node, { constant }) => {
    const rest = { ...node.attributes }
    const inputs = [...node.inputs]
    names.forEach((name, i) => {
      const attribute = rest[name]
      const given = attribute && content(attribute)
      delete rest[name]
      if (!given) return
      while (inputs.length <= index + i) inputs.push('')
      inputs[index + i] = constant(given)
    })
    return { ...node, inputs, attributes: rest }
  }

const asList = (attribute: Attribute) => {
  const list = listIn(attribute)
  return list && int64List(list)
}
const asScalar = (attribute: Attribute) => {
  const number = numberIn(attribute)
  return number === undefined ? undefined : scalar(number)
}

const axesToInput: Rule = { before: ANY, upgrade: toInputs(1, ['axes'], asList) }
const reductions = ['L1', 'L2', 'LogSum', 'LogSumExp', 'Max', 'Mean', 'Min', 'Prod', 'Sum', 'SumSquare']

/** Sampling of Upsample, and of Resize until opset 10: from the corner of a pixel. */
function sampledFromCorners(node: FileNode, { contentOf }: Upgrading): FileNode {
  const [x = '', scales = ''] = node.inputs
  const factors = contentOf(scales)
  // onnxruntime rounds towards the pixel after where it shrinks.
  const shrinks = factors !== undefined && Array.from(factors.data as Float32Array).some((factor) => factor < 1)
  return {
    ...node,
    op: 'Resize',
    inputs: [x, '', scales],
    attributes: {
      mode: string(textIn(node.attributes.mode) ?? 'nearest'),
      coordinate_transformation_mode: string('asymmetric'),
      nearest_mode: string(shrinks ? 'ceil' : 'floor'),
    },
  }
}

/** Inputs that are there but empty, as Resize had to give until opset 12, are absent. */
function withoutEmptyInputs(node: FileNode, { contentOf }: Upgrading): FileNode {
  const inputs = node.inputs.map((name) => (contentOf(name)?.data.length === 0 ? '' : name))
  return { ...node, inputs }
}

const rules: Record<string, Rule[]> = {
  ...Object.fromEntries(reductions.map((name) => [`Reduce${name}`, [axesToInput]])),
  Squeeze: [axesToInput],
  Unsqueeze: [axesToInput],
  Slice: [{ before: 10, upgrade: toInputs(1, ['starts', 'ends', 'axes'], asList) }],
  Clip: [{ before: 11, upgrade: toInputs(1, ['min', 'max'], asScalar) }],
  Pad: [
    {
      before: 11,
      upgrade(node, upgrading) {
        const padded = toInputs(1, ['pads'], asList)(node, upgrading)
        return toInputs(2, ['value'], asScalar)(padded, upgrading)
      },
    },
  ],
  TopK: [
    {
      before: 10,
      upgrade: toInputs(1, ['k'], (attribute) => int64List([numberIn(attribute) ?? 1])),
    },
  ],
  Split: [
    { before: 13, upgrade: toInputs(1, ['split'], asList) },
    {
      before: ANY,
      upgrade: (node) =>
        (numberIn(node.attributes.num_outputs) ?? 0) > node.outputs.length
          ? { ...node, unusable: `it has ${node.outputs.length} outputs of the parts that num_outputs asks for` }
          : node,
    },
    {
      before: 18,
      upgrade: (node) =>
        node.inputs[1] ? node : { ...node, attributes: { ...node.attributes, num_outputs: int(node.outputs.length) } },
    },
  ],
  Scatter: [{ before: ANY, upgrade: (node) => ({ ...node, op: 'ScatterElements' }) }],
  Upsample: [{ before: ANY, upgrade: sampledFromCorners }],
  Resize: [
    { before: 11, upgrade: sampledFromCorners },
    { before: ANY, upgrade: withoutEmptyInputs },
  ],
  // Its rounding is of types that nothing here has.
  Cast: [{ before: ANY, upgrade: (node) => without(node, ['saturate', 'round_mode']) }],
  // Its mask is of training.
  Dropout: [{ before: ANY, upgrade: (node) => ({ ...node, outputs: node.outputs.slice(0, 1) }) }],
  BatchNormalization: [
    {
      before: ANY,
      upgrade(node) {
        if (numberIn(node.attributes.spatial) === 0)
          return { ...node, unusable: 'it has statistics for every pixel, which no opset from 9 on has' }
        // Statistics of the batch are the trainer's choice; other outputs only existed for training.
        return { ...without(node, ['spatial', 'training_mode']), outputs: node.outputs.slice(0, 1) }
      },
    },
  ],
}

function without(node: FileNode, names: readonly string[]): FileNode {
  const kept = Object.entries(node.attributes).filter(([name]) => !names.includes(name))
  return { ...node, attributes: Object.fromEntries(kept) }
}

export const upgraded: Pass = (model) => {
  const fresh = freshNames(model)
  return mapNodes(model, (node, constants) => {
    const { opset = OPSET, ...current } = node
    const upgrading: Upgrading = {
      opset,
      constant(content) {
        const name = fresh(`${node.name}.list`)
        constants.set(name, content)
        return name
      },
      contentOf: (name) => (name ? constants.get(name) : undefined),
    }
    const upgradedNode = (node.domain ? [] : (rules[node.op] ?? []))
      .filter(({ before }) => opset < before)
      .reduce<FileNode>((node, { upgrade }) => upgrade(node, upgrading), current)
    return [dependsOnShapes(node) ? { ...upgradedNode, opset } : upgradedNode]
  })
}
