/** Runs graphs. The only file that imports onnxruntime-node. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import * as ort from 'onnxruntime-node'
import { BLOCKED_DOMAIN, withBlockedConvolutions } from './blocked.ts'
import { addInput, addOutput, type Graph, newGraph } from './graph.ts'
import { modelBytes } from './model.ts'
import { opsFor } from './ops.ts'
import type { ElementType, Tensor, TensorData } from './tensor.ts'

/** Execution providers that can train: what a graph runs on. */
export const providers = ['cpu', 'cuda'] as const
export type Provider = (typeof providers)[number]

/** Every provider that this build of onnxruntime knows; whether it works here, only a session tells. */
export const knownProviders: readonly string[] = ort.listSupportedBackends().map(({ name }) => name)

/** Where onnxruntime's own libraries lie on this platform. */
export const librariesPath = (): string => {
  const main = createRequire(import.meta.url).resolve('onnxruntime-node')
  return join(dirname(dirname(main)), 'bin/napi-v6', process.platform, process.arch)
}

export interface SessionOptions {
  /** One of `providers`, or, to try them, of `knownProviders`. */
  provider?: string | undefined
  /** Threads inside one op; 0 leaves the choice to onnxruntime. */
  threads?: number | undefined
  /** Where to write onnxruntime's profile of every node, for measurement. */
  profilePrefix?: string | undefined
}

export interface Session {
  /** Runs the graph once. Feeds are read in place; the results are new tensors, by output name. */
  run(feeds: Record<string, Tensor>): Promise<Record<string, Tensor>>
  /** Frees native memory; the session can't run any more. */
  release(): Promise<void>
}

/** Version of the onnxruntime library in use. */
export const onnxruntimeVersion: string = ort.env.versions.node ?? ort.env.versions.common

const hostType = (tensor: ort.Tensor): Tensor => ({
  type: tensor.type as ElementType,
  shape: tensor.dims,
  data: tensor.data as TensorData,
})

let knownBlock: Promise<number> | undefined

/** Channels that the kernels for blocked layouts take together on this machine; 1 where there are no such kernels. */
const blockOfMachine = (): Promise<number> => {
  knownBlock ??= probeBlock()
  return knownBlock
}

/** Two points of 16 channels, numbered, are laid out in blocks; the second point of the first channel then follows one block. */
async function probeBlock(): Promise<number> {
  const shape = [1, 16, 1, 2]
  const graph = newGraph()
  const x = addInput(graph, 'x', 'float32', shape)
  const [laid] = opsFor(graph).emit('ReorderInput', [x], {}, { domain: BLOCKED_DOMAIN, types: [x] })
  addOutput(graph, 'y', laid)
  try {
    const session = await ort.InferenceSession.create(modelBytes(graph), { logSeverityLevel: 4 })
    const { y } = await session.run({ x: new ort.Tensor('float32', Float32Array.from(Array(32).keys()), shape) })
    await session.release()
    return (y?.data as Float32Array | undefined)?.indexOf(1) ?? 1
  } catch {
    return 1 // onnxruntime has these kernels for some processors only
  }
}

async function laidOut(graph: Graph): Promise<Graph> {
  const block = await blockOfMachine()
  return block > 1 ? withBlockedConvolutions(graph, block) : graph
}

/** Compiles a graph, or the bytes of a model. Throws what onnxruntime says where the provider does not start. */
export async function openSession(
  model: Graph | Uint8Array,
  { provider = 'cpu', threads = 0, profilePrefix }: SessionOptions = {},
): Promise<Session> {
  const bytes = model instanceof Uint8Array ? model : modelBytes(provider === 'cpu' ? await laidOut(model) : model)
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: [provider],
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    ...(threads > 0 && { intraOpNumThreads: threads }),
    ...(profilePrefix && { enableProfiling: true, profileFilePrefix: profilePrefix }),
  })
  return {
    async run(feeds) {
      const inputs = Object.fromEntries(
        session.inputNames.map((name) => {
          const feed = feeds[name]
          if (!feed) throw new Error(`the graph needs input ${name}; given: ${Object.keys(feeds).join(', ')}`)
          return [name, new ort.Tensor(feed.type as 'float32', feed.data as Float32Array, feed.shape)]
        }),
      )
      const outputs = await session.run(inputs)
      return Object.fromEntries(Object.entries(outputs).map(([name, output]) => [name, hostType(output)]))
    },
    async release() {
      if (profilePrefix) session.endProfiling()
      await session.release()
    },
  }
}
