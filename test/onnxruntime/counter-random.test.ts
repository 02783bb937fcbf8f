/** Random numbers made inside a graph: their moments, and that neighbours, rows and keys do not resemble each other. */
import { expect, test } from 'vitest'
import { drawKeys, normals, uniformSource } from '../../runner/engine/nn/counter-random.ts'
import { endlessOrder, randomStream } from '../../runner/engine/nn/random.ts'
import { addInput, addOutput, newGraph, type Value } from '../../runner/engine/onnx/graph.ts'
import { type Ops, opsFor } from '../../runner/engine/onnx/ops.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { tensor } from '../../runner/engine/onnx/tensor.ts'
import { antitheticTimesteps, dropConditions } from '../../runner/tasks/generation/diffusion/draws.ts'

const [ROWS, COUNT] = [200, 500]
async function draw(build: (ops: Ops, keys: Value) => Value, seed = 0): Promise<Float32Array> {
  const graph = newGraph()
  addOutput(graph, 'y', build(opsFor(graph), addInput(graph, 'keys', 'int64', [ROWS, 2])))
  const session = await openSession(graph, { threads: 1 })
  const { y } = await session.run({ keys: drawKeys(randomStream(seed, 'keys'), [ROWS]) })
  await session.release()
  return y!.data as Float32Array
}
const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length
const correlation = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  const [ma, mb] = [mean(a), mean(b)]
  const dot = (x: ArrayLike<number>, mx: number, y: ArrayLike<number>, my: number) =>
    mean(Array.from(x, (value, i) => (value - mx) * (y[i]! - my)))
  return dot(a, ma, b, mb) / Math.sqrt(dot(a, ma, a, ma) * dot(b, mb, b, mb))
}

test('uniform numbers fill (0, 1] evenly: a hundred bins by chi-square', async () => {
  const u = await draw((ops, keys) => uniformSource(ops, keys)([ROWS, COUNT]))
  const bins = new Array<number>(100).fill(0)
  for (const value of u) bins[Math.min(99, Math.floor(value * 100))]!++
  const expected = u.length / 100
  const chi = bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
  // 99 degrees of freedom: mean 99, standard deviation 14.
  expect(chi).toBeGreaterThan(99 - 4 * 14)
  expect(chi).toBeLessThan(99 + 4 * 14)
})

test('normal numbers have the moments of N(0, 1)', async () => {
  const z = await draw((ops, keys) => normals(ops, uniformSource(ops, keys), [ROWS, COUNT]))
  const n = Math.sqrt(z.length)
  // Standard errors: 1, sqrt(2), sqrt(15) and sqrt(96) over sqrt(n).
  expect(Math.abs(mean(z))).toBeLessThan(4 / n)
  expect(Math.abs(mean(z.map((v) => v ** 2)) - 1)).toBeLessThan((4 * Math.SQRT2) / n)
  expect(Math.abs(mean(z.map((v) => v ** 3)))).toBeLessThan((4 * Math.sqrt(15)) / n)
  expect(Math.abs(mean(z.map((v) => v ** 4)) - 3)).toBeLessThan((4 * Math.sqrt(96)) / n)
})

test('neighbours, rows, halves and the next draw of the same key are uncorrelated, and so are their squares', async () => {
  const z = await draw((ops, keys) => normals(ops, uniformSource(ops, keys), [ROWS, COUNT]))
  const later = await draw((ops, keys) => normals(ops, uniformSource(ops, keys, 2 ** 20), [ROWS, COUNT]))
  const other = await draw((ops, keys) => normals(ops, uniformSource(ops, keys), [ROWS, COUNT]), 1)
  const shifts = [1, 2, 16, COUNT / 2, COUNT].map((lag) => [z.subarray(lag), z.subarray(0, -lag)] as const)
  for (const [a, b] of [...shifts, [z, later] as const, [z, other] as const]) {
    expect(Math.abs(correlation(a, b))).toBeLessThan(4 / Math.sqrt(a.length))
    const square = (v: number) => v * v
    expect(Math.abs(correlation(a.map(square), b.map(square)))).toBeLessThan(4 / Math.sqrt(a.length))
  }
})

test('a row depends on its key alone', async () => {
  const graph = newGraph()
  addOutput(
    graph,
    'y',
    normals(opsFor(graph), uniformSource(opsFor(graph), addInput(graph, 'keys', 'int64', [2, 2])), [2, 7]),
  )
  const session = await openSession(graph, { threads: 1 })
  const keys = (words: bigint[]) => ({ keys: tensor('int64', [2, 2], BigInt64Array.from(words)) })
  const first = await session.run(keys([5n, 6n, 7n, 8n]))
  const second = await session.run(keys([1n, 2n, 5n, 6n]))
  await session.release()
  expect(second.y!.data.slice(7)).toEqual(first.y!.data.slice(0, 7))
})

test('timesteps come in pairs t and T - 1 - t', () => {
  const t = antitheticTimesteps(randomStream(0, 't'), 1000, 7) // 4 drawn, then 3 of their mirrors
  expect(t).toHaveLength(7)
  for (let i = 0; i < 3; i++) expect(t[i]! + t[4 + i]!).toBe(999)
})

test('conditions are dropped at the asked rate', () => {
  const dropped = dropConditions(randomStream(0, 'drop'), Array(10_000).fill(3), 0.1, 10)
  const count = dropped.filter((label) => label === 10).length
  // 10,000 draws with p = 0.1: 1,000 expected, standard deviation 30.
  expect(Math.abs(count - 1000)).toBeLessThan(120)
  expect(dropped.every((label) => label === 3 || label === 10)).toBe(true)
})

test('an endless order visits every item once in each round, in another order', () => {
  const at = endlessOrder(0, 'order', 10)
  const round = (k: number) => Array.from({ length: 10 }, (_, i) => at(10 * k + i))
  expect([...round(0)].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect(round(1)).not.toEqual(round(0))
  expect(round(0)).toEqual(round(0))
})
