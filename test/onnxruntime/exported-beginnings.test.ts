/** How the tensors of a file begin anew: by the op that each meets the data in, and so that what passes through neither dies away nor
 *  grows. */
import { expect, test } from 'vitest'
import { beginningsOfModel, begunAnew } from '../../runner/engine/nn/beginnings.ts'
import { networkOfModel } from '../../runner/engine/nn/exported.ts'
import { initialState } from '../../runner/engine/nn/initial-state.ts'
import { declareValues, valueFeeds } from '../../runner/engine/nn/variables.ts'
import { addInput, addOutput, newGraph } from '../../runner/engine/onnx/graph.ts'
import { opsFor } from '../../runner/engine/onnx/ops.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { floats, int64s, numbersOf, sizeOf, type Tensor } from '../../runner/engine/onnx/tensor.ts'
import { beginningWords } from '../../runner/engine/reading/initializers.ts'
import { modelFile, type NodeSource } from '../support/onnx-file.ts'
import { uniforms } from './uniform.ts'

/** A tensor of different numbers, so that none looks as if it were never trained. */
const weight = (...shape: number[]): Tensor => floats(shape, uniforms(7, sizeOf(shape), -1, 1))
const list = (...numbers: number[]) => int64s([numbers.length], numbers)

const read = (nodes: NodeSource[], constants: Record<string, Tensor>) =>
  networkOfModel(modelFile({ opset: 18, shape: ['n', 3, 8, 8], nodes, constants }))

const wordsOf = (nodes: NodeSource[], constants: Record<string, Tensor>) =>
  Object.fromEntries(
    [...beginningsOfModel(read(nodes, constants).model)].map(([name, beginning]) => [name, beginningWords(beginning)]),
  )

test('a layer that a norm follows begins as in PyTorch, and so does its norm', () => {
  const nodes: NodeSource[] = [
    ['Conv', ['images', 'conv.weight', 'conv.bias'], ['a']],
    ['BatchNormalization', ['a', 'bn.weight', 'bn.bias', 'bn.mean', 'bn.var'], ['b']],
    ['PRelu', ['b', 'slope'], ['c']],
    ['Mul', ['c', 'gamma'], ['d']],
    ['Mul', ['d', 'layer_scale'], ['e']],
    ['Add', ['e', 'shift'], ['f']],
    ['Flatten', ['f'], ['g']],
    ['Transpose', ['fc.weight'], ['turned'], { perm: [1, 0] }],
    ['MatMul', ['g', 'turned'], ['h']],
    ['Add', ['h', 'fc.bias'], ['logits']],
  ]
  const alike = floats([4, 1, 1], [1e-6, 1e-6, 1e-6, 1e-6])
  expect(
    wordsOf(nodes, {
      ...{ 'conv.weight': weight(4, 3, 3, 3), 'conv.bias': weight(4), 'bn.weight': weight(4), 'bn.bias': weight(4) },
      ...{ 'bn.mean': weight(4), 'bn.var': weight(4), slope: weight(4, 1, 1), gamma: weight(4, 1, 1) },
      ...{ layer_scale: alike, shift: weight(4, 1, 1), 'fc.weight': weight(5, 144), 'fc.bias': weight(5) },
    }),
  ).toEqual({
    ...{ 'conv.weight': 'uniform in ±1/√27', 'conv.bias': 'uniform in ±1/√27' },
    ...{ 'bn.weight': 'all 1', 'bn.bias': 'all 0', 'bn.mean': 'all 0', 'bn.var': 'all 1', slope: 'all 0.25' },
    ...{ gamma: 'all 1', layer_scale: 'as in the file', shift: 'all 0' },
    ...{ 'fc.weight': 'uniform in ±1/√144', 'fc.bias': 'uniform in ±1/√144' },
  })
})

test('tokens, positions and tables begin small; a number alone stays', () => {
  const nodes: NodeSource[] = [
    ['Reshape', ['images', 'rows'], ['a']],
    ['MatMul', ['a', 'patches.weight'], ['b']],
    ['LayerNormalization', ['b', 'norm.weight', 'norm.bias'], ['c']],
    ['Add', ['c', 'pos_embed'], ['d']],
    ['Gather', ['bias_table', 'places'], ['e'], { axis: 0 }],
    ['Add', ['d', 'e'], ['f']],
    ['Exp', ['logit_scale'], ['g']],
    ['Mul', ['f', 'g'], ['h']],
    ['ReduceMean', ['h', 'axes'], ['i'], { keepdims: 0 }],
    ['Gemm', ['i', 'head.weight', 'head.bias'], ['logits'], { transB: 1 }],
  ]
  const words = wordsOf(nodes, {
    ...{ rows: list(0, 3, 64), axes: list(1), places: list(2, 1, 0) },
    ...{ 'patches.weight': weight(64, 6), 'norm.weight': weight(6), 'norm.bias': weight(6) },
    ...{ pos_embed: weight(1, 3, 6), bias_table: weight(4, 6), logit_scale: floats([1], [0.3]) },
    ...{ 'head.weight': weight(5, 6), 'head.bias': weight(5) },
  })
  expect(words).toEqual({
    ...{ 'patches.weight': 'uniform in ±1/√64', 'norm.weight': 'all 1', 'norm.bias': 'all 0' },
    ...{ pos_embed: 'normal, deviation 0.02', bias_table: 'normal, deviation 0.02', logit_scale: 'as in the file' },
    ...{ 'head.weight': 'uniform in ±1/√6', 'head.bias': 'uniform in ±1/√6' },
  })
})

test('a network that lost its norms passes on what it is given, however deep', async () => {
  const depth = 24
  const nodes: NodeSource[] = [['Conv', ['images', 'stem'], ['x0'], { pads: [1, 1, 1, 1] }]]
  const constants: Record<string, Tensor> = { stem: weight(16, 3, 3, 3), head: weight(5, 16), axes: list(2, 3) }
  for (let k = 0; k < depth; k++) {
    nodes.push(['Relu', [`x${k}`], [`r${k}`]], ['Conv', [`r${k}`, `w${k}`], [`y${k}`], { pads: [1, 1, 1, 1] }])
    nodes.push(['Relu', [`y${k}`], [`s${k}`]], ['Conv', [`s${k}`, `v${k}`], [`z${k}`], { pads: [1, 1, 1, 1] }])
    // Every other one is a residual block.
    if (k % 2 === 0) nodes.push(['Add', [`x${k}`, `z${k}`], [`x${k + 1}`]])
    else nodes.push(['Identity', [`z${k}`], [`x${k + 1}`]])
    Object.assign(constants, { [`w${k}`]: weight(16, 16, 3, 3), [`v${k}`]: weight(16, 16, 3, 3) })
  }
  nodes.push(['ReduceMean', [`x${depth}`, 'axes'], ['pooled'], { keepdims: 0 }])
  nodes.push(['Gemm', ['pooled', 'head'], ['logits'], { transB: 1 }])
  const deep = read(nodes, constants)
  expect(beginningWords(beginningsOfModel(deep.model).get('head')!)).toBe('uniform in ±1/√16')
  expect(beginningWords(beginningsOfModel(deep.model).get('w0')!)).toMatch(/^uniform in ±[\d.]+: no norm follows$/)
  const network = begunAnew(deep)
  const graph = newGraph()
  const values = declareValues(graph, network.parameters)
  const x = addInput(graph, 'x', 'float32', [16, 3, 8, 8])
  const { logits } = network.forward(opsFor(graph), x, values, true)
  addOutput(graph, 'logits', logits)
  const session = await openSession(graph)
  const state = initialState(network, 0)
  const images = floats([16, 3, 8, 8], uniforms(5, 16 * 3 * 64))
  const { logits: answers } = await session.run({ x: images, ...valueFeeds(state) })
  await session.release()
  const size = Math.sqrt(numbersOf(answers!).reduce((sum, each) => sum + each ** 2, 0) / (16 * 5))
  // Padding and pooling take their share; of PyTorch's defaults each of 24 layers in a row would leave 0.4.
  expect(size).toBeGreaterThan(1e-3)
  expect(size).toBeLessThan(3)
})

test('what no rule is known for is refused, with its place', () => {
  const nodes: NodeSource[] = [
    ['Flatten', ['images'], ['a']],
    ['Gemm', ['a', 'w', 'b'], ['c'], { transB: 1 }],
    ['Max', ['c', 'floor.weight'], ['logits']],
  ]
  const network = read(nodes, { w: weight(5, 192), b: weight(5), 'floor.weight': weight(5) })
  expect(() => begunAnew(network)).toThrow(
    'no rule says how floor.weight begins anew: it is input 2 of Max; name it under "freeze", or say what the file\'s weights are by "weights"',
  )
})
