/** Products of float64 matrices by onnxruntime: what Fréchet distances, kernels and neighbourhoods are made of. */
import type { Multiply } from '../science/matrix.ts'
import { addInput, addOutput, newGraph } from './onnx/graph.ts'
import { opsFor } from './onnx/ops.ts'
import { openSession, type Session } from './onnx/session.ts'
import { tensor } from './onnx/tensor.ts'

export interface LinearAlgebra {
  multiply: Multiply
  release(): Promise<void>
}

export function openLinearAlgebra({
  threads = 0,
  signal,
}: {
  threads?: number
  signal?: AbortSignal
} = {}): LinearAlgebra {
  const sessions = new Map<string, Promise<Session>>()

  function sessionFor(transA: 0 | 1, transB: 0 | 1): Promise<Session> {
    const key = `${transA}${transB}`
    if (!sessions.has(key)) {
      const graph = newGraph()
      const a = addInput(graph, 'a', 'float64', [-1, -1])
      const b = addInput(graph, 'b', 'float64', [-1, -1])
      addOutput(graph, 'product', opsFor(graph).Gemm(a, b, null, { transA, transB }))
      sessions.set(key, openSession(graph, { threads }))
    }
    return sessions.get(key)!
  }

  return {
    async multiply(a, b, { transposeA = false, transposeB = false } = {}) {
      signal?.throwIfAborted()
      const [inA, inB] = [transposeA ? a.rows : a.columns, transposeB ? b.columns : b.rows]
      if (inA !== inB) throw new Error(`a product sums over ${inA} entries on the left, but ${inB} on the right`)
      const session = await sessionFor(transposeA ? 1 : 0, transposeB ? 1 : 0)
      const { product } = await session.run({
        a: tensor('float64', [a.rows, a.columns], a.data),
        b: tensor('float64', [b.rows, b.columns], b.data),
      })
      const [rows, columns] = product!.shape as [number, number]
      return { rows, columns, data: product!.data as Float64Array }
    },
    async release() {
      for (const session of sessions.values()) await (await session).release()
      sessions.clear()
    },
  }
}
