/** Takes images through a network for its features, which are what its last linear layer sees, and its logits. */
import type { Progress } from '../../../schema/result.ts'
import { addInput, addOutput, describe, type Graph, newGraph, type Value } from '../onnx/graph.ts'
import { loop } from '../onnx/loop.ts'
import { opsFor } from '../onnx/ops.ts'
import type { Provider } from '../onnx/session.ts'
import type { Tensor } from '../onnx/tensor.ts'
import { createExecutor, residentImages } from './executor.ts'
import type { Network } from './network.ts'

export interface Extraction {
  /** [n, dimension] */
  features: Float32Array
  dimension: number
  /** [n, classes] */
  logits: Float32Array
}

export interface ExtractOptions {
  network: Network
  /** Parameters and buffers. */
  state: ReadonlyMap<string, Tensor>
  /** [n, c, h, w] */
  images: Uint8Array
  /** Images at a time; it does not change the answers. */
  batch?: number
  phase?: string
  threads: number
  provider?: Provider | undefined
  signal: AbortSignal
  onProgress(progress: Progress): void
}

/** In evaluation mode, in the order of the images. */
export async function extract(options: ExtractOptions): Promise<Extraction> {
  const { network, state, images, batch = 100, phase = 'features', threads, provider, signal, onProgress } = options
  const resident = residentImages(images, network.inputShape)
  const count = resident.shape[0]!
  const dimension = featureCount(network)
  const features = new Float32Array(count * dimension)
  const logits = new Float32Array(count * network.classes)
  const executor = createExecutor({ threads, provider, signal })
  const weights = Object.fromEntries(
    [...network.parameters, ...network.buffers].map(({ name }) => [name, state.get(name)!]),
  )
  try {
    await executor.execute({
      name: 'extract',
      program: (size) => extractProgram(network, count, size),
      items: Int32Array.from(Array(count).keys()),
      batch,
      feeds: { images: resident, ...weights },
      after(outputs, { first, count: done }) {
        features.set(outputs.features!.data as Float32Array, first * dimension)
        logits.set(outputs.logits!.data as Float32Array, first * network.classes)
        onProgress({ phase, done: first + done, total: count, unit: 'images' })
      },
    })
  } finally {
    await executor.release()
  }
  return { features, dimension, logits }
}

/** Numbers that the last linear layer of a network sees. */
export function featureCount(network: Network): number {
  const graph = newGraph()
  const values = new Map(
    [...network.parameters, ...network.buffers].map(({ name, shape }) => [
      name,
      addInput(graph, name, 'float32', shape),
    ]),
  )
  const x = addInput(graph, 'x', 'float32', [1, ...network.inputShape])
  return featuresBefore(graph, network.forward(opsFor(graph), x, values, false).logits).shape[1]!
}

/** Inputs: the variables by name, `images`, `plan` [steps, batch]; outputs `features` and `logits`, [steps, batch, ...]. */
function extractProgram(network: Network, images: number, batch: number): Graph {
  const graph = newGraph()
  const ops = opsFor(graph)
  const known = new Map(
    [...network.parameters, ...network.buffers].map(({ name, shape }) => [
      name,
      addInput(graph, name, 'float32', shape),
    ]),
  )
  const resident = addInput(graph, 'images', 'uint8', [images, ...network.inputShape])
  const plan = addInput(graph, 'plan', 'int64', [-1, batch])
  const steps = addInput(graph, 'steps', 'int64', [])
  const { scans } = loop(ops, steps, [], (ops, iteration) => {
    const x = ops.Mul(ops.Cast(ops.Gather(resident, ops.Gather(plan, iteration)), 'float32'), 1 / 255)
    const { logits } = network.forward(ops, x, known, false)
    return { carried: [], scans: [featuresBefore(ops.graph, logits), logits] }
  })
  addOutput(graph, 'features', scans[0]!)
  addOutput(graph, 'logits', scans[1]!)
  return graph
}

/** The [n, features] that the linear layer behind the logits sees: back through what keeps their shape, such as a bias that is
 *  added apart. */
function featuresBefore(graph: Graph, logits: Value): Value {
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
