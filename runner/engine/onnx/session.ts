/** Runs graphs. The only file that imports onnxruntime-node: at the first use, since a platform may have no build of it. */
import { globSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import type * as Ort from 'onnxruntime-node'
import { BLOCKED_DOMAIN, withBlockedConvolutions } from './blocked.ts'
import { addInput, addOutput, type Graph, newGraph } from './graph.ts'
import { modelBytes } from './model.ts'
import { opsFor } from './ops.ts'
import type { ElementType, Tensor, TensorData } from './tensor.ts'
import { tidied } from './tidy.ts'

/** Execution providers that can train: what a graph runs on. */
export const providers = ['cpu', 'cuda'] as const
export type Provider = (typeof providers)[number]

/** There is no onnxruntime on this platform, or it does not start. */
export class RuntimeError extends Error {
  override name = 'RuntimeError'
}

const require = createRequire(import.meta.url)
let loaded: typeof Ort | undefined

/** onnxruntime, loaded once. Throws RuntimeError. */
function runtime(): typeof Ort {
  try {
    loaded ??= require('onnxruntime-node') as typeof Ort
    return loaded
  } catch (error) {
    const [reason] = (error as Error).message.split('\n')
    const builds = platforms()
    const where = `onnxruntime-node does not start on ${process.platform} ${process.arch}: ${reason}`
    throw new RuntimeError(
      builds.length > 0
        ? `${where}; it is built for ${builds.join(', ')}, and on linux needs glibc (musl will not do); train, unlearn and evaluate on one of these. Boards, submissions and checks of a server need no onnxruntime`
        : `${where}; install it with npm ci`,
    )
  }
}

/** Loads onnxruntime, for a refusal before anything was done. Throws RuntimeError. */
export const requireRuntime = (): void => void runtime()

const builds = (): string => join(dirname(dirname(require.resolve('onnxruntime-node'))), 'bin/napi-v6')

/** Such as `linux x64`: what the installed package has a build for; nothing where it is not installed. */
function platforms(): string[] {
  try {
    const found = globSync('*/*/onnxruntime_binding.node', { cwd: builds() })
    return found.map((path) => path.split(/[/\\]/).slice(0, 2).join(' ')).sort()
  } catch {
    return []
  }
}

/** Every provider that this build of onnxruntime knows; whether it works here, only a session tells. */
export const knownProviders = (): string[] =>
  runtime()
    .listSupportedBackends()
    .map(({ name }) => name)

/** Where onnxruntime's own libraries lie on this platform. */
export const librariesPath = (): string => join(builds(), process.platform, process.arch)

/** How many threads share an op: as many as were asked for, or as this process may use. Never left to onnxruntime, which does not
 *  tell what it chose: the number changes how sums are split, and with it their bytes. */
export const threadsUsed = (threads: number): number => (threads > 0 ? threads : availableParallelism())

export interface SessionOptions {
  /** One of `providers`, or, to try them, of `knownProviders`. */
  provider?: string | undefined
  /** Threads inside one op; 0 for as many as this process may use. */
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
export const onnxruntimeVersion = (): string => {
  const { versions } = runtime().env
  return versions.node ?? versions.common
}

const hostType = (tensor: Ort.Tensor): Tensor => ({
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
  const ort = runtime()
  try {
    const session = await ort.InferenceSession.create(modelBytes(graph), { logSeverityLevel: 4 })
    const { y } = await session.run({ x: new ort.Tensor('float32', Float32Array.from(Array(32).keys()), shape) })
    await session.release()
    return (y?.data as Float32Array | undefined)?.indexOf(1) ?? 1
  } catch {
    return 1 // onnxruntime has these kernels for some processors only
  }
}

/** Optimizers for what no graph here has: quantised weights, embeddings and the attention of language models, and the like. Each
 *  would go over the whole graph several times to find nothing. */
const IDLE_OPTIMIZERS = [
  'AttentionFusion',
  'BiasDropoutFusion',
  'DoubleQDQPairsRemover',
  'DynamicQuantizeMatMulFusion',
  'EmbedLayerNormFusion',
  'EnsureUniqueDQForNodeUnit',
  'GroupQueryAttentionFusion',
  'GroupQueryAttentionPreNormFusion',
  'IsInfReduceSumFusion',
  'LabelEncoderFusion',
  'MatMulIntegerToFloatFusion',
  'MatMulNBitsFusion',
  'QDQFinalCleanupTransformer',
  'QDQPropagationTransformer',
  'QDQS8ToU8Transformer',
  'QDQSelectorActionTransformer',
  'WeightBiasQuantization',
  'WhereDummyDq',
]

/** Optimizers of this version of onnxruntime that change what a graph gives: Pad_Fusion lets MaxPool take zeros that were put around
 *  a map for nothing at all, so that the largest of a window at the border of a negative map is another. */
const WRONG_OPTIMIZERS = ['Pad_Fusion']

async function laidOut(graph: Graph): Promise<Graph> {
  const block = await blockOfMachine()
  return block > 1 ? withBlockedConvolutions(graph, block) : graph
}

/** Compiles a graph, or the bytes of a model. Throws what onnxruntime says where the provider does not start. */
export async function openSession(
  model: Graph | Uint8Array,
  { provider = 'cpu', threads = 0, profilePrefix }: SessionOptions = {},
): Promise<Session> {
  const ort = runtime()
  const bytes =
    model instanceof Uint8Array ? model : modelBytes(tidied(provider === 'cpu' ? await laidOut(model) : model))
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: [provider],
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    intraOpNumThreads: threadsUsed(threads),
    extra: { optimization: { disable_specified_optimizers: [...IDLE_OPTIMIZERS, ...WRONG_OPTIMIZERS].join(';') } },
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
