/** Which execution providers of onnxruntime really run a graph here, and why the others don't. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { addInput, addOutput, type Graph, newGraph } from '../engine/onnx/graph.ts'
import { opsFor } from '../engine/onnx/ops.ts'
import { knownProviders, librariesPath, openSession } from '../engine/onnx/session.ts'
import { floats } from '../engine/onnx/tensor.ts'

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
  for (const name of knownProviders()) yield { name, ...(await tried(name, graph)) }
}

async function tried(provider: string, graph: Graph): Promise<Omit<ProviderFinding, 'name'>> {
  try {
    const session = await openSession(graph, { provider })
    const { y } = await session.run({ x: floats([2], [1, 2]) })
    await session.release()
    const works = y?.data[0] === 2 && y.data[1] === 4
    return { works, trouble: works ? '' : `1 + 1 and 2 + 2 gave ${y?.data}` }
  } catch (error) {
    // onnxruntime begins with the place in its source, as long as a line.
    const words = (error as Error).message.trim().split('\n').at(-1) ?? ''
    return { works: false, trouble: words.slice(words.lastIndexOf(' was false. ') + 1).replace(/^was false\. /, '') }
  }
}

/** Where the library of the CUDA provider belongs, and whether it is there. */
export function cudaLibrary(): { path: string; exists: boolean } {
  const name = process.platform === 'win32' ? 'onnxruntime_providers_cuda.dll' : 'libonnxruntime_providers_cuda.so'
  const path = join(librariesPath(), name)
  return { path, exists: existsSync(path) }
}
