/** What becomes of each tensor of a file: which op uses it as what, and whether a gradient of the logits reaches it. */
import { elementTypeOf } from '../onnx/element-types.ts'
import { type Shape, sizeOf } from '../onnx/tensor.ts'
import type { FileModel, FileNode } from './file-model.ts'

/** What an op uses a tensor as. `factor`, `addend`, `exponent` and `table` are what arithmetic and lookups take, `state` is what
 *  a recurrent layer begins with, `data` what a layer is applied to that no image reaches. */
export type Place =
  | 'weight'
  | 'bias'
  | 'scale'
  | 'slope'
  | 'factor'
  | 'addend'
  | 'exponent'
  | 'table'
  | 'state'
  | 'data'

export interface Use {
  /** The op and the node that use the tensor in the end, behind nodes that only rearrange it. */
  op: string
  node: string
  place: Place
  /** The node that takes the tensor itself, by its first output. */
  taker: string
  /** The place alone says that the tensor is learned. */
  learned: boolean
  /** Meets the images before any weight does. */
  onImages: boolean
  /** Scale or bias of a norm whose result is scaled again: exporters write GroupNorm so, with ones and zeros here. */
  scaledAgain: boolean
}

const AFFINE: Record<number, Place> = { 1: 'scale', 2: 'bias' }
const LINEAR: Record<number, Place> = { 0: 'weight', 1: 'weight', 2: 'bias' }
const RECURRENT: Record<number, Place> = { 1: 'weight', 2: 'weight', 3: 'bias', 5: 'state', 6: 'state', 7: 'weight' }
const PLACES: Record<string, Record<number, Place>> = {
  Conv: LINEAR,
  ConvTranspose: LINEAR,
  Gemm: LINEAR,
  MatMul: LINEAR,
  Einsum: LINEAR,
  BatchNormalization: AFFINE,
  LayerNormalization: AFFINE,
  GroupNormalization: AFFINE,
  InstanceNormalization: AFFINE,
  RMSNormalization: AFFINE,
  PRelu: { 1: 'slope' },
  LSTM: RECURRENT,
  GRU: RECURRENT,
  RNN: RECURRENT,
}

/** Ops whose outputs move in jumps, or not at all, when their inputs move. */
const WITHOUT_GRADIENT = new Set([
  ...['Shape', 'Size', 'Equal', 'Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual', 'Not', 'And', 'Or', 'Xor'],
  ...['ArgMax', 'ArgMin', 'NonZero', 'IsNaN', 'IsInf', 'Floor', 'Ceil', 'Round', 'Sign', 'ConstantOfShape', 'Range'],
  ...['EyeLike', 'Hardmax', 'OneHot', 'RandomUniformLike', 'RandomNormalLike'],
])
/** Inputs that set a shape, a bound or an index, so that a float given there is no weight. */
const SETTINGS: Record<string, number[]> = {
  AffineGrid: [1],
  BatchNormalization: [3, 4],
  CastLike: [1],
  CenterCropPad: [1],
  Clip: [1, 2],
  Col2Im: [1, 2],
  CumSum: [1],
  DequantizeLinear: [1, 2],
  Dropout: [1, 2],
  Expand: [1],
  Gather: [1],
  GatherElements: [1],
  GatherND: [1],
  GRU: [4],
  LSTM: [4],
  RNN: [4],
  Pad: [1, 2, 3],
  QuantizeLinear: [1, 2],
  Reshape: [1],
  Resize: [1, 2, 3],
  ReverseSequence: [1],
  RotaryEmbedding: [1, 2, 3],
  ScatterElements: [1],
  ScatterND: [1],
  Slice: [1, 2, 3, 4],
  Split: [1],
  Squeeze: [1],
  Tile: [1],
  TopK: [1],
  Trilu: [1],
  Unsqueeze: [1],
  Upsample: [1],
  Where: [0],
}

const passesGradient = ({ op, attributes }: FileNode, index: number) =>
  !WITHOUT_GRADIENT.has(op) &&
  !SETTINGS[op]?.includes(index) &&
  !(op === 'Cast' && !elementTypeOf(attributes.to?.value as number).startsWith('float'))

/** Finds the uses that a gradient reaches, by tensor; tensors that none reaches have no entry. */
export function usesOf({ nodes, constants, outputs }: FileModel, input: string): Map<string, Use[]> {
  const producers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)))
  const moving = new Set([input])
  const raw = new Set([input])
  for (const { op, inputs, outputs } of nodes) {
    const own = inputs.filter((name) => moving.has(name))
    // Shapes are the same for all images.
    if (own.length === 0 || op === 'Shape' || op === 'Size') continue
    const untouched = own.every((name) => raw.has(name)) && !PLACES[op]
    for (const output of outputs) {
      moving.add(output)
      if (untouched) raw.add(output)
    }
  }

  /** Norm in parts: x / deviation of x. */
  const isNormalized = (name: string): boolean => {
    const node = producers.get(name)
    if (!node) return false
    if (node.op === 'Reshape') return isNormalized(node.inputs[0] ?? '')
    if (node.op === 'Div') return node.inputs.every((own) => moving.has(own))
    return node.op === 'InstanceNormalization'
  }
  const takers = new Map<string, FileNode[]>()
  for (const node of nodes) {
    for (const name of new Set(node.inputs)) {
      const own = takers.get(name)
      if (own) own.push(node)
      else takers.set(name, [node])
    }
  }
  const isScaledAgain = (name: string): boolean =>
    (takers.get(name) ?? []).some(
      ({ op, inputs, outputs }) =>
        (op === 'Reshape' && outputs.some(isScaledAgain)) || (op === 'Mul' && inputs.some((own) => !moving.has(own))),
    )
  const arithmetic = (node: FileNode, index: number): Use => {
    const { op, name, inputs } = node
    const use = { op, node: name, taker: '', onImages: inputs.some((own) => raw.has(own)), scaledAgain: false }
    const other = inputs.find((own, i) => i !== index && moving.has(own)) ?? ''
    const before = producers.get(other)
    if (op === 'Mul' && isNormalized(other)) return { ...use, op: 'Normalization', place: 'scale', learned: true }
    if (op === 'Add' && before?.op === 'Mul' && before.inputs.some((own) => moving.has(own) && isNormalized(own)))
      return { ...use, op: 'Normalization', place: 'bias', learned: true }
    // Linear layers of three axes and more.
    const weight = before?.op === 'MatMul' && before.inputs.findIndex((own) => constants.has(own))
    if (op === 'Add' && before && typeof weight === 'number' && weight >= 0) {
      const bias = constants.get(inputs[index] ?? '')
      if (bias?.shape.length === 1) return { ...use, op: 'MatMul', place: 'bias', learned: true }
    }
    const place = op === 'Pow' ? 'exponent' : op === 'Mul' || op === 'Div' ? 'factor' : 'addend'
    return { ...use, place, learned: false }
  }
  const ownUse = (node: FileNode, index: number): Use => {
    const { op, name, inputs } = node
    const place = PLACES[op]?.[index]
    if (!place) return arithmetic(node, index)
    if (place === 'weight' && index === 0 && inputs.every((own) => !moving.has(own)))
      return { op, node: name, taker: '', place: 'data', learned: false, onImages: false, scaledAgain: false }
    const scaledAgain = op === 'InstanceNormalization' && isScaledAgain(node.outputs[0] ?? '')
    return { op, node: name, taker: '', place, learned: true, onImages: false, scaledAgain }
  }

  const uses = new Map<string, Map<string, Use>>()
  const reached = new Map<string, Map<string, Use>>(outputs.map((name) => [name, new Map()]))
  for (const node of [...nodes].reverse()) {
    const later = node.outputs.flatMap((output) => [...(reached.get(output)?.values() ?? [])])
    if (!node.outputs.some((output) => reached.has(output))) continue
    const still = !node.inputs.some((name) => moving.has(name))
    node.inputs.forEach((name, index) => {
      if (!name || !passesGradient(node, index)) return
      const place = PLACES[node.op]?.[index]
      const inherited = later.map((use) => inheritedUse(use, node, constants.get(name)?.shape))
      const found = moving.has(name) ? [] : still && !place ? inherited : [ownUse(node, index)]
      addTo(reached, name, found)
      if (!constants.has(name)) return
      const taker = node.outputs[0] ?? ''
      addTo(
        uses,
        name,
        found.map((use) => ({ ...use, taker })),
      )
    })
  }
  // In the order in which the model meets the tensors.
  const met = nodes.flatMap(({ inputs }) => inputs)
  return new Map(met.flatMap((name) => (uses.has(name) ? [[name, [...uses.get(name)!.values()]]] : [])))
}

/** Equal uses count once: what is made of one tensor by doubling it again and again is still one use of it. */
function addTo(all: Map<string, Map<string, Use>>, name: string, found: readonly Use[]): void {
  const known = all.get(name) ?? new Map<string, Use>()
  for (const use of found) known.set(JSON.stringify(use), use)
  all.set(name, known)
}

const ARITHMETIC = new Set(['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Max', 'Min', 'Where'])

/** The use of what a node makes of tensors alone, as that of the tensor it was made of. */
function inheritedUse(use: Use, { op }: FileNode, shape: Shape | undefined): Use {
  if (op === 'Gather' && !use.learned) return { ...use, place: 'table' }
  // A number beside a weight is none.
  if (shape && sizeOf(shape) === 1) return { ...use, place: 'factor', learned: false }
  const learned = use.learned && !ARITHMETIC.has(op)
  return { ...use, learned }
}
