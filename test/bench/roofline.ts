/** What the machine can do at most, measured: the rate of a large matrix product and of a sum over vectors that no cache holds. */
import { addInput, addOutput, newGraph } from '../../runner/engine/onnx/graph.ts'
import { opsFor } from '../../runner/engine/onnx/ops.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { floats } from '../../runner/engine/onnx/tensor.ts'
import { kernelTimes } from './kernel-times.ts'

export interface Roofline {
  /** 10^9 multiplications and additions a second. */
  gflops: number
  /** 10^9 bytes read or written a second. */
  gigabytes: number
}

const SIDE = 1024
const LENGTH = 1 << 24
const RUNS = 9

/** The best of several runs of both. */
export async function measureRoofline(threads: number): Promise<Roofline> {
  const graph = newGraph()
  const ops = opsFor(graph)
  const matrix = addInput(graph, 'matrix', 'float32', [SIDE, SIDE])
  const vector = addInput(graph, 'vector', 'float32', [LENGTH])
  addOutput(graph, 'product', ops.MatMul(matrix, matrix))
  addOutput(graph, 'sum', ops.Add(vector, vector))
  const feeds = {
    matrix: floats([SIDE, SIDE], new Float32Array(SIDE * SIDE).fill(0.5)),
    vector: floats([LENGTH], new Float32Array(LENGTH).fill(1)),
  }
  const events = await kernelTimes(async (profilePrefix) => {
    const session = await openSession(graph, { threads, profilePrefix })
    for (let i = 0; i < RUNS; i++) await session.run(feeds)
    await session.release()
  })
  const best = (op: string) => Math.min(...events.filter((event) => event.op === op).map(({ ms }) => ms))
  return { gflops: (2 * SIDE ** 3) / 1e6 / best('MatMul'), gigabytes: (2 * 4 * LENGTH) / 1e6 / best('Add') }
}
