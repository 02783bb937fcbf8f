/** How the tensors of a file begin anew, since a retrained model must know nothing of what the file was trained on. The rules are
 *  PyTorch's defaults for the layer that a tensor belongs to, which follows from the op that it meets the data in; docs/exported.md
 *  has them in words. */
import { type Graph, type Node, numberOf, stringOf, type Value } from '../onnx/graph.ts'
import { type Shape, sizeOf, type Tensor } from '../onnx/tensor.ts'
import { type Flow, flowAfter, MOVES, NORMS, normsIn, PIXELS, UNIT } from './moments.ts'

export type Beginning =
  /** In +-1 / sqrt(fanIn); with a moment, the mean square of what comes in, by which what goes out has the mean square 1. */
  | { kind: 'uniform'; fanIn: number; moment?: number }
  | { kind: 'normal'; deviation: number }
  | { kind: 'constant'; value: number }
  /** As the file has it: a learned number, or a factor whose numbers are all alike, as they were set before any training. */
  | { kind: 'kept' }
  /** No rule is known; `why` says where it is used. */
  | { kind: 'unknown'; why: string }

const uniform = (fanIn: number, moment?: number): Beginning => ({
  ...{ kind: 'uniform', fanIn: Math.max(fanIn, 1) },
  ...(moment !== undefined && { moment }),
})
const constant = (value: number): Beginning => ({ kind: 'constant', value })
/** Of class tokens, positions and tables that are looked up. */
const EMBEDDING: Beginning = { kind: 'normal', deviation: 0.02 }
const KEPT: Beginning = { kind: 'kept' }

const CONVOLUTIONS = ['Conv', 'ConvTranspose']

/** By the names of the tensors, which `values` are in the graph of a forward pass. */
export function beginningsOf(
  graph: Graph,
  values: ReadonlyMap<string, Value>,
  tensors: ReadonlyMap<string, Tensor>,
): Map<string, Beginning> {
  const found = new Map<string, Beginning>()
  const madeOf = madeOfTensors(graph, values)
  const isOwn = (input: Value) => madeOf.has(input)
  const norms = normsIn(graph)
  // Logits begin small, whatever lies before them.
  const last = graph.nodes.findLast((node) => fanInOf(node, isOwn) !== undefined)
  /** Of what linear layers give: how many numbers each of theirs is a sum of. */
  const sums = new Map<Value, number>()
  const flows = new Map<Value, Flow>()
  const settle = (names: readonly string[], beginning: (content: Tensor) => Beginning) => {
    for (const name of names) if (!found.has(name)) found.set(name, beginning(tensors.get(name)!))
  }
  for (const node of graph.nodes) {
    const inputs = node.inputs.filter((input) => input !== null)
    const own = inputs.filter(isOwn)
    const data = inputs.filter((input) => !isOwn(input) && !graph.initializers.has(input))
    if (own.length > 0 && data.length === 0) {
      // Weight normalisation: of two tensors that make one weight, the smaller scales the other.
      if (['Mul', 'Div'].includes(node.op) && own.length === 2 && madeOf.get(own[0]!) !== madeOf.get(own[1]!)) {
        const [smaller] = own.toSorted((a, b) => sizeOf(a.shape) - sizeOf(b.shape))
        settle(madeOf.get(smaller!)!, factor)
      }
      continue
    }
    const came = data.map((input) => flows.get(input) ?? PIXELS)
    const moment = came[0]?.square ?? UNIT.square
    const fanIn = fanInOf(node, isOwn)
    const [first] = node.outputs
    const mayBeAlone = node !== last && (CONVOLUTIONS.includes(node.op) || !norms.any)
    const alone = fanIn !== undefined && mayBeAlone && first && !norms.follows(first)
    for (const [index, input] of node.inputs.entries()) {
      const names = input && madeOf.get(input)
      if (!names) continue
      if (alone && index < 2) settle(names, () => uniform(fanIn, moment))
      settle(names, (content) => meeting(node, index, input.shape, content, sums))
    }
    const summed = fanIn ?? (MOVES.includes(node.op) ? sums.get(data[0]!) : undefined)
    const flow = alone ? UNIT : fanIn === undefined ? flowAfter(node, came) : { ...UNIT, square: moment / 3 }
    for (const output of node.outputs) {
      if (!output) continue
      if (summed !== undefined) sums.set(output, summed)
      flows.set(output, flow)
    }
  }
  // What nothing uses makes no difference.
  settle([...tensors.keys()], () => KEPT)
  return found
}

/** Of values that are made of these tensors and constants alone: of which. */
function madeOfTensors(graph: Graph, values: ReadonlyMap<string, Value>): Map<Value, readonly string[]> {
  const madeOf = new Map<Value, readonly string[]>([...values].map(([name, value]) => [value, [name]]))
  for (const { inputs, outputs } of graph.nodes) {
    const given = inputs.filter((input) => input !== null && !graph.initializers.has(input)) as Value[]
    if (given.length === 0 || !given.every((input) => madeOf.has(input))) continue
    const names = [...new Set(given.flatMap((input) => madeOf.get(input)!))]
    for (const output of outputs) if (output) madeOf.set(output, names)
  }
  return madeOf
}

/** Of a tensor that is input `index` of the node where it meets the data, in the shape that it has there. */
function meeting(
  node: Node,
  index: number,
  shape: Shape,
  content: Tensor,
  sums: ReadonlyMap<Value, number>,
): Beginning {
  const { op } = node
  if (NORMS.includes(op)) return constant([0, 1, 0, 0, 1][index] ?? 0)
  const fanIn = fanInOf(node, (input) => input === node.inputs[index])
  if (fanIn !== undefined) return uniform(fanIn)
  switch (op) {
    case 'Conv':
    case 'ConvTranspose':
    case 'Gemm':
      return uniform(fanInOf(node, (input) => input === node.inputs[1]) ?? 1)
    case 'LSTM':
    case 'GRU':
    case 'RNN':
      return index <= 3 ? uniform(numberOf(node, 'hidden_size', 1)) : constant(0)
    case 'PRelu':
      return constant(0.25)
    case 'Mul':
    case 'Div':
      return factor(content)
    case 'Add':
    case 'Sub': {
      const other = node.inputs[1 - index]
      const summed = other ? sums.get(other) : undefined
      if (content.data.length === 1 && summed === undefined) return KEPT
      if (!isVector(shape)) return EMBEDDING
      return summed === undefined ? constant(0) : uniform(summed)
    }
    case 'Concat':
    case 'Where':
    case 'Gather':
    case 'GatherElements':
    case 'GatherND':
      return EMBEDDING
    default:
      if (content.data.length === 1) return KEPT
      return { kind: 'unknown', why: `it is input ${index + 1} of ${op}` }
  }
}

/** A factor of a norm was one before training; one that began small, as of residual branches, is known by its numbers being alike. */
const factor = ({ data }: Tensor): Beginning =>
  (data as Float32Array).every((each, _, all) => each === all[0]) ? KEPT : constant(1)

const isVector = (shape: Shape): boolean => shape.filter((extent) => extent > 1).length <= 1

/** How many products each number of a linear node's result sums; undefined for other nodes, and where none of its operands is a weight. */
function fanInOf(node: Node, isWeight: (input: Value) => boolean): number | undefined {
  const [a, b] = node.inputs as [Value, Value | undefined]
  const [first, second] = [a && isWeight(a), b && isWeight(b)]
  switch (node.op) {
    case 'Conv':
    case 'ConvTranspose':
      // [out, in / groups, ...kernel]; transposed, PyTorch counts the same axis.
      return second ? sizeOf(b!.shape.slice(1)) : undefined
    case 'Gemm':
      if (second) return b!.shape[numberOf(node, 'transB', 0) ? 1 : 0]
      return first ? a.shape[numberOf(node, 'transA', 0) ? 0 : 1] : undefined
    case 'MatMul':
      if (second) return b!.shape.at(b!.shape.length > 1 ? -2 : -1)
      return first ? a.shape.at(-1) : undefined
    case 'Einsum':
      return second ? summed(node, 1) : first ? summed(node, 0) : undefined
    default:
      return undefined
  }
}

/** Extents of an operand of Einsum that its result has no more. */
function summed(node: Node, index: number): number {
  const [terms = '', result = ''] = stringOf(node, 'equation', '').replaceAll(' ', '').split('->')
  const letters = terms.split(',')[index] ?? ''
  const shape = node.inputs[index]!.shape
  return sizeOf([...letters].flatMap((letter, axis) => (result.includes(letter) ? [] : [shape[axis] ?? 1])))
}

const words: { [Kind in Beginning['kind']]: (beginning: Extract<Beginning, { kind: Kind }>) => string } = {
  uniform: ({ fanIn, moment }) =>
    moment === undefined
      ? `uniform in ±1/√${fanIn}`
      : `uniform in ±${Math.sqrt(3 / (fanIn * moment)).toPrecision(3)}: no norm follows`,
  normal: ({ deviation }) => `normal, deviation ${deviation}`,
  constant: ({ value }) => `all ${value}`,
  kept: () => 'as in the file',
  unknown: ({ why }) => `no rule: ${why}`,
}

export const beginningWords = (beginning: Beginning): string => words[beginning.kind](beginning as never)
