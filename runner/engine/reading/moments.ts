/** Mean squares of what flows through a fresh network, by rules of thumb: enough to set up layers that no norm follows, as those are
 *  into which an exporter merged batch norm. Without that they shrink what passes, layer by layer, and nothing learns. */
import type { Graph, Node, Value } from '../onnx/graph.ts'

/** What has trained scale and shift, as inputs 1 and 2. */
export const NORMS = [
  ...['BatchNormalization', 'InstanceNormalization', 'GroupNormalization', 'LayerNormalization', 'RMSNormalization'],
]
/** What hands numbers on as they are. */
export const MOVES = ['Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Flatten', 'Identity', 'Cast']
/** They cut off what is below zero. */
const HALVES = ['Relu', 'LeakyRelu', 'PRelu', 'Elu', 'Celu', 'Selu', 'Softplus', 'Clip']
/** They do so the more, the larger the numbers are: the share of the mean square that is left at 1 is 0.36 and 0.43. */
const BENDS: Record<string, number> = { Swish: 1.36, HardSwish: 1.36, Mish: 1, Gelu: 0.43 }
/** At most 1, and the mean square that is usual. */
const GATES: Record<string, number> = { Sigmoid: 0.3, HardSigmoid: 0.3, Tanh: 0.4, Erf: 0.45, Softmax: 0.1 }

/** What is known of the numbers of a value. */
export interface Flow {
  /** Their mean square. */
  square: number
  /** Whether they are positive, or a sum that something positive is part of: then little of them is cut off below zero. */
  positive: boolean
  /** Of a sigmoid: what it is of. That times its sigmoid is Swish, which exporters write in parts. */
  gateOf?: Value
}

/** Of pixels that are uniform in [0, 1]. */
export const PIXELS: Flow = { square: 1 / 3, positive: true }
/** Of a norm, and of a layer that is set up to be followed by none. */
export const UNIT: Flow = { square: 1, positive: false }

/** What a node gives that has no weights of its own, from the data that it takes. */
export function flowAfter({ op, inputs }: Node, data: readonly Flow[]): Flow {
  const [first = UNIT] = data
  const [squares, positive] = [data.map(({ square }) => square), data.some(({ positive }) => positive)]
  const sum = squares.reduce((sum, each) => sum + each, 0)
  const gated = op === 'Mul' ? data.findIndex(({ gateOf }, i) => gateOf && gateOf === inputs[1 - i]) : -1
  const [own, bend] = gated < 0 ? [first, BENDS[op]] : [data[1 - gated] ?? UNIT, BENDS.Swish]
  if (NORMS.includes(op)) return UNIT
  if (bend !== undefined) return { square: bent(own, bend), positive: true }
  if (HALVES.includes(op)) return { square: first.positive ? first.square : first.square / 2, positive: true }
  const gate = GATES[op]
  if (gate !== undefined) return { square: gate, positive: true, ...(inputs[0] && { gateOf: inputs[0] }) }
  if (op === 'Add' || op === 'Sub') return { square: sum, positive }
  if (op === 'Mul') return { square: squares.reduce((product, each) => product * each, 1), positive }
  if (op === 'Concat') return { square: sum / data.length, positive }
  return { square: first.square, positive }
}

/** A quarter of the square of very small numbers, half of that of large ones. */
const bent = ({ square, positive }: Flow, bend: number): number =>
  positive ? square : (square * (1 + square / (square + bend))) / 4

/** Tells whether a norm takes a value, perhaps moved or with a bias added, before anything else does. */
export function normsIn(graph: Graph): { any: boolean; follows(value: Value): boolean } {
  const takers = new Map<Value, Node[]>()
  for (const node of graph.nodes)
    for (const input of node.inputs) if (input) takers.set(input, [...(takers.get(input) ?? []), node])
  const isNormed = (value: Value): boolean => {
    const ops = (takers.get(value) ?? []).map(({ op }) => op)
    // One in parts begins with the mean, and with what is left without it.
    return ops.some((op) => NORMS.includes(op)) || (ops.includes('ReduceMean') && ops.includes('Sub'))
  }
  const produced = new Set(graph.nodes.flatMap(({ outputs }) => outputs))
  const follows = (value: Value): boolean =>
    isNormed(value) ||
    (takers.get(value) ?? []).some((node) => {
      const moved = MOVES.includes(node.op)
      const biased = node.op === 'Add' && node.inputs.every((input) => input === value || !produced.has(input))
      return (moved || biased) && node.outputs.some((output) => output && follows(output))
    })
  return { any: [...takers.keys()].some(isNormed), follows }
}
