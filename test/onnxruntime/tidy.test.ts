/** What is left out of a graph before it is compiled, and that it computes the same. */
import { expect, test } from 'vitest'
import { differentiate } from '../../runner/engine/autodiff/differentiate.ts'
import type { Value } from '../../runner/engine/onnx/graph.ts'
import { addInput, addOutput, type Graph, newGraph } from '../../runner/engine/onnx/graph.ts'
import { loop } from '../../runner/engine/onnx/loop.ts'
import { modelBytes } from '../../runner/engine/onnx/model.ts'
import { type Ops, opsFor } from '../../runner/engine/onnx/ops.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { floats, int64s } from '../../runner/engine/onnx/tensor.ts'
import { tidied } from '../../runner/engine/onnx/tidy.ts'

const x = floats(
  [2, 3, 4],
  Float32Array.from({ length: 24 }, (_, i) => Math.sin(i)),
)
const graphOf = (build: (ops: Ops, x: Value) => void): Graph => {
  const graph = newGraph()
  build(opsFor(graph), addInput(graph, 'x', 'float32', x.shape))
  return graph
}
const opsOf = ({ nodes }: Graph) => nodes.map(({ op }) => op)

/** The ops that are left, when tidied and untidied give the same bytes. */
async function left(graph: Graph): Promise<string[]> {
  const [before, after] = await Promise.all(
    [graph, tidied(graph)].map(async (one) => {
      const session = await openSession(modelBytes(one))
      const results = await session.run({ x })
      await session.release()
      return results
    }),
  )
  expect(after).toEqual(before)
  return opsOf(tidied(graph))
}

test('a Reshape of a Reshape reads what came first', async () => {
  const graph = graphOf((ops, x) => addOutput(ops.graph, 'y', ops.Neg(ops.Reshape(ops.Reshape(x, [6, 4]), [24]))))
  expect(await left(graph)).toEqual(['Reshape', 'Neg'])
})

test('a Reshape that copies an extent of its input stays where it is', async () => {
  const graph = graphOf((ops, x) => {
    const rows = ops.Reshape(x, [6, 4])
    const target = ops.constant(int64s([3], [0, 2, 2]))
    addOutput(ops.graph, 'y', ops.Neg(ops.emit('Reshape', [rows, target])[0]))
  })
  expect(await left(graph)).toEqual(['Reshape', 'Reshape', 'Neg'])
})

test('a value that others read as well is still copied to its output', async () => {
  const graph = graphOf((ops, x) => {
    const negative = ops.Neg(x)
    addOutput(ops.graph, 'y', negative)
    addOutput(ops.graph, 'z', negative)
    addOutput(ops.graph, 'w', x)
  })
  expect(await left(graph)).toEqual(['Neg', 'Identity', 'Identity', 'Identity'])
})

test('small constants are computed, and what nobody reads is left out', async () => {
  const graph = graphOf((ops, x) => {
    ops.Exp(x)
    const ones = ops.Reshape(ops.Expand(ops.scalar('float32', 1), [12]), [3, 4])
    addOutput(ops.graph, 'y', ops.Add(x, ones))
    addOutput(ops.graph, 'z', ops.Expand(ops.scalar('float32', 1), [5000]))
  })
  expect(await left(graph)).toEqual(['Add', 'Expand'])
})

test('a loop still reads the values of the graph around it', async () => {
  const graph = graphOf((ops, x) => {
    const outer = ops.Neg(x)
    const { carried } = loop(ops, ops.scalar('int64', 3), [x], (inner, _, [held]) => ({
      carried: [inner.Add(inner.Reshape(inner.Reshape(held!, [24]), [2, 3, 4]), outer)],
      scans: [],
    }))
    addOutput(ops.graph, 'y', carried[0]!)
  })
  expect(await left(graph)).toEqual(['Neg', 'Loop'])
})

test('the gradient of MaxPool takes the places of the largest from the pooling itself', () => {
  const graph = newGraph()
  const ops = opsFor(graph)
  const x = addInput(graph, 'x', 'float32', [1, 1, 4, 4])
  const [pooled] = ops.emit('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] })
  const loss = ops.ReduceSum(pooled, [0, 1, 2, 3], 0)
  for (let i = 0; i < 2; i++) differentiate(graph, loss, [x])
  const pools = graph.nodes.filter(({ op }) => op === 'MaxPool')
  expect(pools.map(({ outputs }) => outputs.map((output) => output?.type))).toEqual([['float32', 'int64']])
})
