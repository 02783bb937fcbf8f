/** Convolutions in the blocked layout, against the sum that defines them. */
import { expect, test } from 'vitest'
import { withBlockedConvolutions } from '../../runner/engine/onnx/blocked.ts'
import { addInput, addOutput, type Graph, newGraph } from '../../runner/engine/onnx/graph.ts'
import { loop } from '../../runner/engine/onnx/loop.ts'
import { opsFor } from '../../runner/engine/onnx/ops.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { floats, sizeOf, tensor } from '../../runner/engine/onnx/tensor.ts'
import { uniforms } from './uniform.ts'

interface Case {
  x: [number, number, number, number]
  w: [number, number, number, number]
  stride?: number
  pad?: number
  dilation?: number
  bias?: boolean
}

const cases: Record<string, Case> = {
  'channels that fill blocks': { x: [2, 32, 5, 7], w: [48, 32, 3, 3], pad: 1 },
  'fewer channels than a block': { x: [2, 3, 8, 8], w: [16, 3, 3, 3], pad: 1 },
  'one channel and strides': { x: [2, 1, 9, 9], w: [32, 1, 3, 3], stride: 2, pad: 1 },
  'a bias and dilations': { x: [1, 16, 9, 9], w: [16, 16, 3, 3], dilation: 2, pad: 2, bias: true },
  '1x1 with strides': { x: [2, 16, 6, 6], w: [32, 16, 1, 1], stride: 2 },
  'channels that fill no blocks': { x: [2, 20, 6, 6], w: [24, 20, 3, 3], pad: 1 },
}

/** The definition, in double precision. */
function convolution(
  { x: [n, c, h, width], w: [o, , kh, kw], stride = 1, pad = 0, dilation = 1 }: Case,
  x: Float32Array,
  w: Float32Array,
  b: Float32Array,
) {
  const extent = (size: number, k: number) => Math.floor((size + 2 * pad - (k - 1) * dilation - 1) / stride) + 1
  const [oh, ow] = [extent(h, kh), extent(width, kw)]
  return Array.from({ length: n * o * oh * ow }, (_, flat) => {
    const [at, row, column] = [Math.floor(flat / (oh * ow)), Math.floor(flat / ow) % oh, flat % ow]
    const [example, out] = [Math.floor(at / o), at % o]
    let sum = b[out]!
    for (let tap = 0; tap < c * kh * kw; tap++) {
      const [channel, i, j] = [Math.floor(tap / (kh * kw)), Math.floor(tap / kw) % kh, tap % kw]
      const [y, z] = [row * stride - pad + i * dilation, column * stride - pad + j * dilation]
      const inside = y >= 0 && y < h && z >= 0 && z < width
      if (inside) sum += x[((example * c + channel) * h + y) * width + z]! * w[out * c * kh * kw + tap]!
    }
    return sum
  })
}

const opsOf = (graph: Graph): string[] =>
  graph.nodes.flatMap(({ op, attributes }) => [
    op,
    ...Object.values(attributes).flatMap((attribute) => (attribute.kind === 'graph' ? opsOf(attribute.value) : [])),
  ])

test.each(Object.entries(cases))('a convolution with %s is the sum that defines it', async (_, options) => {
  const { x, w, stride = 1, pad = 0, dilation = 1, bias = false } = options
  const graph = newGraph()
  const ops = opsFor(graph)
  const [input, weight] = [addInput(graph, 'x', 'float32', x), addInput(graph, 'w', 'float32', w)]
  const offset = bias ? addInput(graph, 'b', 'float32', [w[0]]) : null
  const window = { pads: Array<number>(4).fill(pad), strides: [stride, stride], dilations: [dilation, dilation] }
  addOutput(graph, 'y', ops.Conv(input, weight, offset, window))
  const data = [uniforms(71, sizeOf(x), -1, 1), uniforms(72, sizeOf(w), -1, 1), uniforms(73, w[0], -1, 1)] as const
  const session = await openSession(graph, { threads: 2 })
  const { y } = await session.run({ x: floats(x, data[0]), w: floats(w, data[1]), b: floats([w[0]], data[2]) })
  await session.release()
  const expected = convolution(options, data[0], data[1], bias ? data[2] : new Float32Array(w[0]))
  expect(y!.data.length).toBe(expected.length)
  const error = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - Number(y!.data[i]))), 0)
  expect(error).toBeLessThan(1e-4)
})

test('an input is laid out once for all that read it, also in the body of a loop', async () => {
  const graph = newGraph()
  const ops = opsFor(graph)
  const x = addInput(graph, 'x', 'float32', [1, 16, 4, 4])
  const w = addInput(graph, 'w', 'float32', [16, 16, 1, 1])
  const steps = addInput(graph, 'steps', 'int64', [])
  const { carried } = loop(ops, steps, [x], (ops, _, [x]) => ({
    carried: [ops.Add(ops.Conv(x!, w), ops.Conv(x!, w, null, { dilations: [2, 2] }))],
    scans: [],
  }))
  addOutput(graph, 'y', carried[0]!)
  const blocked = opsOf(withBlockedConvolutions(graph, 16))
  expect(blocked.filter((op) => op === 'ReorderInput')).toHaveLength(2) // x and w
  expect(blocked.filter((op) => op === 'ReorderOutput')).toHaveLength(2)
  expect(opsOf(graph)).not.toContain('ReorderInput') // the graph itself stays as it was

  const session = await openSession(graph)
  const identity = Float32Array.from({ length: 256 }, (_, i) => Number(i % 17 === 0))
  const ones = floats([1, 16, 4, 4], new Float32Array(256).fill(1))
  const { y } = await session.run({
    x: ones,
    w: floats([16, 16, 1, 1], identity),
    steps: tensor('int64', [], BigInt64Array.of(3n)),
  })
  await session.release()
  expect([...(y!.data as Float32Array)]).toEqual(Array(256).fill(8)) // doubled three times
})
