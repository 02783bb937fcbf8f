/** A test case of ONNX on our way of reading: upgraded, folded, built, inferred, run; says what differs from what it expects. */
import { addInput, addOutput, newGraph, type Value } from '../../runner/engine/onnx/graph.ts'
import { opsFor } from '../../runner/engine/onnx/ops.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { numbersOf, type Tensor } from '../../runner/engine/onnx/tensor.ts'
import { addNode, newBuilding } from '../../runner/engine/reading/add-node.ts'
import { withoutDropout } from '../../runner/engine/reading/dropout.ts'
import type { FileModel } from '../../runner/engine/reading/file-model.ts'
import { singlePrecision } from '../../runner/engine/reading/precision.ts'
import { upgraded } from '../../runner/engine/reading/upgrade.ts'
import type { NodeCase } from './onnx-node-cases.ts'

/** Inputs that set shapes: constants in a classifier, be it after shape arithmetic. */
const SETTINGS: Record<string, readonly number[]> = {
  AffineGrid: [1],
  CenterCropPad: [1],
  Col2Im: [1, 2],
  ConstantOfShape: [0],
  Expand: [1],
  GRU: [4],
  LSTM: [4],
  NonZero: [0],
  OneHot: [1],
  Pad: [1, 3],
  RNN: [4],
  Range: [0, 1, 2],
  Reshape: [1],
  Resize: [1, 2, 3],
  Slice: [1, 2, 3, 4],
  Split: [1],
  Squeeze: [1],
  Tile: [1],
  TopK: [1],
  Trilu: [1],
  Unsqueeze: [1],
  Upsample: [1],
}
const sets = (op: string, index: number) => (op.startsWith('Reduce') ? index === 1 : !!SETTINGS[op]?.includes(index))

// What ONNX's own backend tests allow.
const [RELATIVE, ABSOLUTE] = [1e-3, 1e-7]
const near = (a: number, b: number) =>
  Object.is(a, b) || a === b || Math.abs(a - b) <= ABSOLUTE + RELATIVE * Math.abs(b)

const typed = ({ type, shape }: Pick<Tensor, 'type' | 'shape'>) => `${type}[${shape}]`
/** What differs in type or shape; graphs compute in float32 where a file has float64. */
function differentType(got: Pick<Tensor, 'type' | 'shape'>, expected: Tensor): string[] {
  const right = [expected, singlePrecision(expected)].some((one) => typed(one) === typed(got))
  return right ? [] : [`${typed(got)}, expected ${typed(expected)}`]
}

function difference(got: Tensor, expected: Tensor): string[] {
  const faults = differentType(got, expected)
  if (faults.length > 0) return faults
  const [a, b] = [numbersOf(got), numbersOf(expected)]
  const same = (i: number) => (got.type === 'int64' ? got.data[i] === expected.data[i] : near(a[i]!, b[i]!))
  const first = a.findIndex((_, i) => !same(i))
  return first < 0 ? [] : [`entry ${first} is ${a[first]}, expected ${b[first]}`]
}

export interface NodeResult {
  /** What differs from the outputs that the case expects. */
  faults: string[]
  /** Whether shape arithmetic computed it. */
  folded: boolean
}

/** Runs a case with its inputs given to the graph, or, where they are `known`, as constants. Throws what our path throws. */
export async function runNodeCase(own: NodeCase, { known }: { known: boolean }): Promise<NodeResult> {
  const { op, opset, inputs, outputs } = own
  const graph = newGraph()
  const ops = opsFor(graph)
  const feeds: Record<string, Tensor> = {}
  const [values, constants] = [new Map<string, Value>(), new Map<string, Tensor>()]
  inputs.forEach((input, i) => {
    if (!input) return
    const name = `x${i}`
    if (known || sets(op, i)) constants.set(name, input)
    else {
      feeds[name] = input
      values.set(name, addInput(graph, name, input.type, input.shape))
    }
  })
  const names = outputs.map((output, i) => (output ? `result ${i}` : ''))
  const node = {
    op,
    name: own.name,
    inputs: inputs.map((input, i) => (input ? `x${i}` : '')),
    outputs: names,
    attributes: own.attributes,
    opset,
  }
  const file: FileModel = { inputs: [], outputs: names, constants, nodes: [node] }
  const model = [upgraded, withoutDropout].reduce((model, pass) => pass(model, { options: {}, decide() {} }), file)
  const building = newBuilding(ops, { constants: model.constants, known: values })
  const { content } = building
  for (const each of model.nodes) addNode(ops, each, building)

  const faults: string[] = []
  const expectations = outputs.flatMap((expected, i) => (expected ? [{ expected, name: names[i]!, y: `y${i}` }] : []))
  for (const { expected, name, y } of expectations) {
    const folded = content.get(name)
    const value = folded ?? values.get(name)
    if (!value) throw new Error(`${op} gives no ${name}`)
    faults.push(...differentType(value, expected).map((fault) => `inferred ${y}: ${fault}`))
    if (folded) faults.push(...difference(folded, expected).map((fault) => `folded ${y}: ${fault}`))
    else addOutput(graph, y, values.get(name)!)
  }
  if (faults.length > 0 || graph.outputs.length === 0) return { faults, folded: graph.outputs.length === 0 }
  const session = await openSession(graph, { threads: 1 })
  try {
    const results = await session.run(feeds)
    for (const { expected, y } of expectations)
      if (results[y]) faults.push(...difference(results[y], expected).map((fault) => `${y}: ${fault}`))
  } finally {
    await session.release()
  }
  return { faults, folded: false }
}
