/** What onnxruntime makes of a graph is what the graph says. */
import { expect, test } from 'vitest'
import { addInput, addOutput, newGraph } from '../../runner/engine/onnx/graph.ts'
import { opsFor } from '../../runner/engine/onnx/ops.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { floats, numbersOf } from '../../runner/engine/onnx/tensor.ts'

// A map of -1 with a row and a column of zeros before it: three of the four windows see zeros.
test.each([
  ['MaxPool', [0, 0, 0, -1]],
  ['AveragePool', [-4 / 9, -6 / 9, -6 / 9, -1]],
] as const)('%s over zeros that were put around a map counts them', async (op, expected) => {
  const graph = newGraph()
  const ops = opsFor(graph)
  const x = addInput(graph, 'x', 'float32', [1, 1, 4, 4])
  const padded = ops.Pad(x, [0, 0, 1, 1, 0, 0, 0, 0])
  addOutput(graph, 'y', ops.emit(op, [padded], { kernel_shape: [3, 3], strides: [2, 2] })[0])
  const session = await openSession(graph, { threads: 1 })
  const { y } = await session.run({ x: floats([1, 1, 4, 4], Array(16).fill(-1)) })
  await session.release()
  numbersOf(y!).forEach((value, i) => void expect(value).toBeCloseTo(expected[i]!, 6))
})
