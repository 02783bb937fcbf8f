/** Takes images through a network for its features, which are what its last linear layer sees, and its logits. */
import type { Progress } from '../../../schema/result.ts'
import { addInput, addOutput, describe, type Graph, newGraph, type Value } from '../onnx/graph.ts'
import { loop } from '../onnx/loop.ts'
import { opsFor } from '../onnx/ops.ts'
import type { Provider } from '../onnx/session.ts'
import type { Tensor } from '../onnx/tensor.ts'
import { createExecutor, type Executor, residentImages } from './executor.ts'
import type { Network } from './network.ts'
import { declareValues, valueFeeds } from './variables.ts'

export interface Extraction {
  /** [n, dimension]; empty where none were asked for. */
  features: Float32Array
  /** [n, classes] */
  logits: Float32Array
}

export interface ExtractOptions {
  network: Network
  /** Parameters and buffers. */
  state: ReadonlyMap<string, Tensor>
  /** [n, c, h, w] */
  images: Uint8Array
  /** Which of them, in this order; all where absent. */
  items?: Int32Array
  /** Whether features are wanted too. */
  features?: boolean
  /** Images at a time; it does not change the answers. */
  batch?: number
  phase?: string
  /** Keeps what it compiled for another call; without it one is made for this call. */
  executor?: Executor
  threads: number
  provider?: Provider | undefined
  signal: AbortSignal
  onProgress(progress: Progress): void
}

/** In evaluation mode, in the order of the images. */
export async function extract(options: ExtractOptions): Promise<Extraction> {
  const { network, state, images, batch = 100, phase = 'features', features: wanted = true, onProgress } = options
  const resident = residentImages(images, network.inputShape)
  const held = resident.shape[0]!
  const items = options.items ?? Int32Array.from(Array(held).keys())
  const dimension = wanted ? featureCount(network) : 0
  const features = new Float32Array(items.length * dimension)
  const logits = new Float32Array(items.length * network.classes)
  const executor = options.executor ?? createExecutor(options)
  const variables = [...network.parameters, ...network.buffers]
  const weights = valueFeeds(variables.map(({ name }) => [name, state.get(name)!]))
  try {
    await executor.execute({
      name: `extract ${held} ${wanted}`,
      program: (size) => extractProgram(network, held, size, wanted),
      items,
      batch,
      feeds: { images: resident, ...weights },
      after(outputs, { first, count: done }) {
        if (wanted) features.set(outputs.features!.data as Float32Array, first * dimension)
        logits.set(outputs.logits!.data as Float32Array, first * network.classes)
        onProgress({ phase, done: first + done, total: items.length, unit: 'images' })
      },
    })
  } finally {
    if (!options.executor) await executor.release()
  }
  return { features, logits }
}

/** Numbers that the last linear layer of a network sees. */
export function featureCount(network: Network): number {
  const graph = newGraph()
  const values = declareValues(graph, [...network.parameters, ...network.buffers])
  const x = addInput(graph, 'x', 'float32', [1, ...network.inputShape])
  return featuresBefore(graph, network.forward(opsFor(graph), x, values, false).logits).shape[1]!
}

/** Inputs: the values of the variables, `images`, `plan` [steps, batch]; outputs `logits` and, where
 *  they are wanted, `features`, [steps, batch, ...]. */
function extractProgram(network: Network, images: number, batch: number, features: boolean): Graph {
  const graph = newGraph()
  const ops = opsFor(graph)
  const known = declareValues(graph, [...network.parameters, ...network.buffers])
  const resident = addInput(graph, 'images', 'uint8', [images, ...network.inputShape])
  const plan = addInput(graph, 'plan', 'int64', [-1, batch])
  const steps = addInput(graph, 'steps', 'int64', [])
  const { scans } = loop(ops, steps, [], (ops, iteration) => {
    const x = ops.Mul(ops.Cast(ops.Gather(resident, ops.Gather(plan, iteration)), 'float32'), 1 / 255)
    const { logits } = network.forward(ops, x, known, false)
    return { carried: [], scans: features ? [logits, featuresBefore(ops.graph, logits)] : [logits] }
  })
  addOutput(graph, 'logits', scans[0]!)
  if (features) addOutput(graph, 'features', scans[1]!)
  return graph
}

/** The [n, features] that the linear layer behind the logits sees: back through what keeps their shape, such as a bias that is
 *  added apart. */
export function featuresBefore(graph: Graph, logits: Value): Value {
  let value = logits
  for (;;) {
    const node = graph.nodes.find(({ outputs }) => outputs.includes(value))
    if (!node) throw new Error(`no linear layer was found before the logits ${logits.name}`)
    if (node.op === 'Gemm' || node.op === 'MatMul') {
      const features = node.inputs[0]!
      if (features.shape.length === 2) return features
    }
    if (!['Add', 'Identity', 'Reshape'].includes(node.op)) {
      throw new Error(`features need a network that ends in a linear layer; this one ends in ${describe(node)}`)
    }
    value = node.inputs.find((input) => input && graph.nodes.some(({ outputs }) => outputs.includes(input))) ?? value
  }
}
