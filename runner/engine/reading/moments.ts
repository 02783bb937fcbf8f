/** Mean squares of what flows through a fresh network, by rules of thumb: enough to set up layers that no norm follows, as those are
 *  into which an exporter merged batch norm. Without that they shrink what passes, layer by layer, and nothing learns. */
import type { Graph, Node, Value } from '../onnx/graph.ts'

/** What has trained scale and shift, as inputs 1 and 2. */
export const NORMS = [
  ...['BatchNormalization', 'InstanceNormalization', 'GroupNormalization', 'LayerNormalization', 'RMSNormalization'],
]
/** What hands numbers on as they are. */
export const MOVES = ['Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Flatten', 'Identity', 'Cast']
/** They cut off about half of what comes. */
const HALVES = ['Relu', 'LeakyRelu', 'PRelu', 'Elu', 'Celu', 'Selu', 'Gelu', 'HardSwish', 'Mish', 'Softplus', 'Clip']
/** Between 0 and 1. */
const GATES = ['Sigmoid', 'HardSigmoid']

/** Of pixels that are uniform in [0, 1]. */
export const PIXELS = 1 / 3

/** The mean square of what a node gives that has no weights of its own, from those of the data that it takes. */
export function momentAfter({ op }: Node, data: readonly number[]): number {
  const [first = 1] = data
  if (NORMS.includes(op)) return 1
  if (HALVES.includes(op)) return first / 2
  if (GATES.includes(op)) return 0.3
  if (op === 'Add' || op === 'Sub') return data.reduce((sum, each) => sum + each, 0)
  if (op === 'Mul') return data.reduce((product, each) => product * each, 1)
  if (op === 'Concat') return data.reduce((sum, each) => sum + each, 0) / data.length
  return first
}

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
