/** Which execution providers of onnxruntime really run a graph here, and why the others don't. Speaks to onnxruntime itself,
 *  since onnx/session.ts knows only those that can train. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import * as ort from 'onnxruntime-node'
import { addInput, addOutput, newGraph } from '../../engine/onnx/graph.ts'
import { modelBytes } from '../../engine/onnx/model.ts'
import { opsFor } from '../../engine/onnx/ops.ts'

/** What can be asked for; `auto` is CUDA where it works, else the CPU. */
export const deviceKinds = ['auto', 'cpu', 'cuda'] as const
export type DeviceKind = (typeof deviceKinds)[number]

export interface ProviderFinding {
  name: string
  works: boolean
  /** What onnxruntime said; empty where it works. */
  trouble: string
}

/** Tries every provider that this build of onnxruntime knows. A broken driver may end the process: call it in one of its own. */
export async function* tryProviders(): AsyncGenerator<ProviderFinding> {
  const graph = newGraph()
  const x = addInput(graph, 'x', 'float32', [2])
  addOutput(graph, 'y', opsFor(graph).Add(x, x))
  const model = modelBytes(graph)
  for (const { name } of ort.listSupportedBackends()) yield { name, ...(await tried(name, model)) }
}

async function tried(name: string, model: Uint8Array): Promise<Omit<ProviderFinding, 'name'>> {
  try {
    const session = await ort.InferenceSession.create(model, { executionProviders: [name], logSeverityLevel: 4 })
    const { y } = await session.run({ x: new ort.Tensor('float32', Float32Array.of(1, 2), [2]) })
    await session.release()
    const works = y?.data[0] === 2 && y.data[1] === 4
    return { works, trouble: works ? '' : `1 + 1 and 2 + 2 gave ${y?.data}` }
  } catch (error) {
    // onnxruntime begins with the place in its source, as long as a line.
    const words = (error as Error).message.trim().split('\n').at(-1)!
    return { works: false, trouble: words.slice(words.lastIndexOf(' was false. ') + 1).replace(/^was false\. /, '') }
  }
}

/** Where the library of the CUDA provider belongs, and whether it is there. */
export function cudaLibrary(): { path: string; exists: boolean } {
  const main = createRequire(import.meta.url).resolve('onnxruntime-node')
  const name = process.platform === 'win32' ? 'onnxruntime_providers_cuda.dll' : 'libonnxruntime_providers_cuda.so'
  const path = join(dirname(dirname(main)), 'bin/napi-v6', process.platform, process.arch, name)
  return { path, exists: existsSync(path) }
}
