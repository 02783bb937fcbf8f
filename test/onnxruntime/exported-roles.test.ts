/** Which tensors of a file train: by what uses them, by their names and by their numbers; what was decided is said. */
import { describe, expect, test } from 'vitest'
import { networkOfModel } from '../../runner/engine/nn/exported.ts'
import { declareValues } from '../../runner/engine/nn/variables.ts'
import { addInput, newGraph } from '../../runner/engine/onnx/graph.ts'
import { opsFor } from '../../runner/engine/onnx/ops.ts'
import { floats, int64s, type Tensor } from '../../runner/engine/onnx/tensor.ts'
import type { ReadOptions } from '../../runner/engine/reading/file-model.ts'
import { goldenBytes } from '../runner/golden.ts'
import { modelFile, type NodeSource } from '../support/onnx-file.ts'
import { uniforms } from './uniform.ts'

let seed = 100
/** Numbers that no other tensor has. */
const some = (...shape: number[]) =>
  floats(
    shape,
    uniforms(
      seed++,
      shape.reduce((a, b) => a * b, 1),
      -1,
      1,
    ),
  )
const filled = (value: number, ...shape: number[]) => floats(shape, Array(shape.reduce((a, b) => a * b, 1)).fill(value))

interface Case {
  /** From `z`, [batch, 16], to `y`; before them `images` go through a linear layer of the weights w and b. */
  nodes: NodeSource[]
  constants?: Record<string, Tensor>
  /** Nodes between `images` and `x`, which that layer takes. */
  before?: NodeSource[]
  options?: ReadOptions
}

function read({ nodes, constants = {}, before = [['Identity', ['images'], ['x']]], options }: Case) {
  const bytes = modelFile({
    opset: 17,
    shape: ['batch', 3, 4, 4],
    nodes: [
      ...before,
      ['Flatten', ['x'], ['flat']],
      ['Gemm', ['flat', 'w', 'b'], ['z']],
      ...nodes,
      ['Gemm', ['y', 'v', 'c'], ['logits']],
    ],
    constants: { w: some(48, 16), b: some(16), v: some(16, 5), c: some(5), ...constants },
  })
  const { parameters, model } = networkOfModel(bytes, options)
  const others = parameters.map(({ name }) => name).filter((name) => !['w', 'b', 'v', 'c'].includes(name))
  return { ...model, trained: others.toSorted() }
}

const says = ({ decisions }: { decisions: readonly string[] }) => decisions.join('\n')

describe('trains', () => {
  const trained: Record<string, Case & { names: string[]; says?: string }> = {
    'a layer that makes a bias of coordinates, which stay': {
      nodes: [
        ['MatMul', ['val_3', 'cpb.weight'], ['bias']],
        ['Add', ['z', 'bias'], ['y']],
      ],
      constants: { val_3: some(1, 6), 'cpb.weight': some(6, 16) },
      names: ['cpb.weight'],
      says: 'val_3: uncertain: stays as it is, since a layer is applied to it and the exporter named it',
    },
    'a scale of the images that was learned': {
      before: [['Mul', ['images', 'input.scale'], ['x']]],
      nodes: [['Relu', ['z'], ['y']]],
      constants: { 'input.scale': some(3, 1, 1) },
      names: ['input.scale'],
      says: 'input.scale: trains, as its name says; --freeze NAME keeps one as it is',
    },
    'a temperature': {
      nodes: [['Div', ['z', 'head.temperature'], ['y']]],
      constants: { 'head.temperature': floats([], [2.5]) },
      names: ['head.temperature'],
      says: 'head.temperature: trains, as its name says',
    },
    'LayerScale and a table of positions': {
      nodes: [
        ['Mul', ['z', 'block.gamma'], ['g']],
        ['Add', ['g', 'pos_embed'], ['y']],
      ],
      constants: { 'block.gamma': filled(1e-5, 16), pos_embed: some(1, 16) },
      names: ['block.gamma', 'pos_embed'],
    },
    'scale and bias of LayerNorm in parts, whatever they are called': {
      nodes: [
        ['ReduceMean', ['z'], ['mean'], { axes: [1] }],
        ['Sub', ['z', 'mean'], ['centred']],
        ['Mul', ['centred', 'centred'], ['squares']],
        ['ReduceMean', ['squares'], ['variance'], { axes: [1] }],
        ['Add', ['variance', 'eps'], ['positive']],
        ['Sqrt', ['positive'], ['deviation']],
        ['Div', ['centred', 'deviation'], ['normal']],
        ['Mul', ['normal', 'val_7'], ['scaled']],
        ['Add', ['scaled', 'val_8'], ['y']],
      ],
      constants: { eps: floats([], [1e-5]), val_7: filled(1, 16), val_8: filled(0, 16) },
      names: ['val_7', 'val_8'],
    },
    'a bias that is added behind MatMul': {
      nodes: [
        ['MatMul', ['z', 'val_3'], ['m']],
        ['Add', ['m', 'val_4'], ['y']],
      ],
      constants: { val_3: some(16, 16), val_4: filled(0, 16) },
      names: ['val_3', 'val_4'],
    },
    'a weight in a Constant node': {
      nodes: [
        ['Constant', [], ['k'], { value: some(16, 16) }],
        ['MatMul', ['z', 'k'], ['y']],
      ],
      names: ['k'],
    },
    'a weight behind arithmetic, and its gain': {
      nodes: [
        ['Transpose', ['layer.weight'], ['t'], { perm: [1, 0] }],
        ['Mul', ['t', 'layer.g'], ['scaled']],
        ['MatMul', ['z', 'scaled'], ['y']],
      ],
      constants: { 'layer.weight': some(16, 16), 'layer.g': some(1, 16) },
      names: ['layer.g', 'layer.weight'],
    },
    'a table of relative positions behind its indices': {
      nodes: [
        ['Gather', ['attn.relative_position_bias_table', 'index'], ['bias']],
        ['Add', ['z', 'bias'], ['y']],
      ],
      constants: { 'attn.relative_position_bias_table': some(7, 16), index: int64s([], [3]) },
      names: ['attn.relative_position_bias_table'],
    },
    'a tensor of which nothing tells, said': {
      nodes: [['Add', ['z', 'expand'], ['y']]],
      constants: { expand: some(1, 16) },
      names: ['expand'],
      says: 'expand: uncertain: trains, though neither its name nor its place says that it was learned; --freeze NAME keeps one as it is',
    },
    'what was asked for': {
      nodes: [['Add', ['z', 'mask'], ['y']]],
      constants: { mask: some(1, 16) },
      options: { train: ['mask'] },
      names: ['mask'],
      says: 'mask: trains, as asked',
    },
  }
  test.each(Object.entries(trained))('%s', (_, { names, says: expected, ...source }) => {
    const found = read(source)
    expect(found.trained).toEqual(names.toSorted())
    if (expected) expect(says(found)).toContain(expected)
  })
})

describe('stays as it is', () => {
  /** [4 rows, 16]: sines and cosines of row / 10000^(2k / 16). */
  const sinusoid = Float32Array.from({ length: 64 }, (_, i) => {
    const [row, k] = [Math.floor(i / 16), i % 16]
    const angle = row / 10_000 ** ((2 * (k >> 1)) / 16)
    return k % 2 === 0 ? Math.sin(angle) : Math.cos(angle)
  })
  const fixed: Record<string, Case & { says?: string }> = {
    'wavelengths, each once or twice, whatever they are called': {
      nodes: [
        ['Div', ['z', 'pow_1'], ['d']],
        ['Mul', ['d', 'pow_2'], ['y']],
      ],
      constants: {
        pow_1: floats(
          [1, 16],
          Array.from({ length: 16 }, (_, i) => 10_000 ** (Math.floor(i / 2) / 8)),
        ),
        pow_2: floats(
          [16],
          Array.from({ length: 16 }, (_, i) => 100 ** (-i / 16)),
        ),
      },
      says: 'pow_1, pow_2: stays as it is: its numbers are the wavelengths of sines and cosines',
    },
    'frequencies that the older exporter wrote as a constant of the code': {
      nodes: [
        ['Constant', [], ['/pos_embed/Constant_19_output_0'], { value: some(16) }],
        ['Div', ['z', '/pos_embed/Constant_19_output_0'], ['y']],
      ],
      says: '/pos_embed/Constant_19_output_0: uncertain: stays as it is, since the exporter wrote it as a constant of the code',
    },
    'mean and deviation of the images': {
      before: [
        ['Sub', ['images', 'mean'], ['centred']],
        ['Div', ['centred', 'std'], ['x']],
      ],
      nodes: [['Relu', ['z'], ['y']]],
      constants: { mean: some(3, 1, 1), std: some(3, 1, 1) },
      says: 'mean, std: stays as it is: its name says that it was not learned; --train NAME trains one',
    },
    'what meets the images first and has no name that tells': {
      before: [['Mul', ['images', 'lifted_tensor_0'], ['x']]],
      nodes: [['Relu', ['z'], ['y']]],
      constants: { lifted_tensor_0: some(3, 1, 1) },
      says: 'lifted_tensor_0: uncertain: stays as it is, since it meets the images before any weight does; --train NAME trains one',
    },
    'a number in code': {
      nodes: [
        ['Mul', ['z', 'val_1'], ['m']],
        ['Add', ['m', '/block/Constant_output_0'], ['n']],
        ['Constant', [], ['two'], { value_float: { float: 2 } }],
        ['Pow', ['n', 'two'], ['y']],
      ],
      constants: { val_1: floats([], [0.125]), '/block/Constant_output_0': floats([1], [1e-5]) },
    },
    'an additive mask, by its numbers': {
      nodes: [['Add', ['z', 'x1'], ['y']]],
      constants: { x1: floats([1, 16], [...Array(15).fill(0), -100]) },
      says: 'x1: stays as it is: its numbers are an additive mask; --train NAME trains one',
    },
    'sines and cosines, though they are called an embedding': {
      nodes: [
        ['Gather', ['pos_embed', 'index'], ['row']],
        ['Add', ['z', 'row'], ['y']],
      ],
      constants: { pos_embed: floats([4, 16], sinusoid), index: int64s([], [2]) },
      says: 'pos_embed: stays as it is: its numbers are a table of sines and cosines',
    },
    'a threshold': {
      nodes: [
        ['Greater', ['z', 'threshold'], ['above']],
        ['Where', ['above', 'z', 'val_0'], ['y']],
      ],
      constants: { threshold: floats([], [0.2]), val_0: floats([], [0]) },
      says: 'threshold: stays as it is: it is only compared, so that the logits have no gradient for it',
    },
    'an exponent': {
      nodes: [
        ['Abs', ['z'], ['a']],
        ['Pow', ['a', 'e'], ['y']],
      ],
      constants: { e: some(16) },
      says: 'e: uncertain: stays as it is, since it is an exponent; --train NAME trains one',
    },
    'the filter of a blur': {
      before: [['Conv', ['images', 'weight'], ['x'], { group: 3, pads: [1, 1, 1, 1] }]],
      nodes: [['Relu', ['z'], ['y']]],
      constants: { weight: floats([3, 1, 3, 3], Array(3).fill([1, 2, 1, 2, 4, 2, 1, 2, 1]).flat()) },
      says: 'weight: stays as it is: its numbers are the same filter for every channel',
    },
    'ones and zeros of a normalization without scale and bias': {
      nodes: [['LayerNormalization', ['z', '/n/Constant_output_0', '/n/Constant_1_output_0'], ['y']]],
      constants: { '/n/Constant_output_0': filled(1, 16), '/n/Constant_1_output_0': filled(0, 16) },
      says: '/n/Constant_output_0, /n/Constant_1_output_0: stays as it is: the exporter wrote it for a normalization without scale and bias',
    },
    'what was asked for': {
      nodes: [['Add', ['z', 'block.bias'], ['y']]],
      constants: { 'block.bias': some(16) },
      options: { freeze: ['block.bias'] },
      says: 'block.bias: stays as it is, as asked',
    },
  }
  test.each(Object.entries(fixed))('%s', (_, { says: expected, ...source }) => {
    const found = read(source)
    expect(found.trained).toEqual([])
    if (expected) expect(says(found)).toContain(expected)
  })
})

test('GroupNorm in parts trains its scale and bias, not the ones and zeros inside', () => {
  const { trained, decisions } = read({
    before: [
      ['Reshape', ['images', 'groups'], ['g']],
      ['InstanceNormalization', ['g', 'val_1', 'val_2'], ['n']],
      ['Reshape', ['n', 'back'], ['r']],
      ['Mul', ['r', 'val_3'], ['s']],
      ['Add', ['s', 'val_4'], ['x']],
    ],
    nodes: [['Relu', ['z'], ['y']]],
    constants: {
      ...{ groups: int64s([3], [0, 1, -1]), back: int64s([4], [-1, 3, 4, 4]) },
      ...{ val_1: filled(1, 1), val_2: filled(0, 1), val_3: filled(1, 3, 1, 1), val_4: filled(0, 3, 1, 1) },
    },
  })
  expect(trained).toEqual(['val_3', 'val_4'])
  expect(decisions).toEqual([])
})

describe('tensors that several nodes use', () => {
  const norms: NodeSource[] = [
    ['LayerNormalization', ['z', 'n.weight', 'n.bias'], ['first']],
    ['LayerNormalization', ['first', 'n.weight', 'n.bias'], ['y']],
  ]
  test('are one tensor where their entries differ', () => {
    const found = read({ nodes: norms, constants: { 'n.weight': some(16), 'n.bias': some(16) } })
    expect(found.trained).toEqual(['n.bias', 'n.weight'])
    expect(says(found)).toContain('n.weight, n.bias: used by several nodes and trains as one tensor')
  })
  test('are apart where all entries are equal, as exporters merge what is', () => {
    const found = read({ nodes: norms, constants: { 'n.weight': filled(1, 16), 'n.bias': filled(0, 16) } })
    expect(found.trained).toEqual(['n.bias', 'n.bias of y', 'n.weight', 'n.weight of y'])
    expect(says(found)).toContain(
      'n.weight (2), n.bias (2): used by several nodes with all entries equal, as exporters merge what is; each node has its own from here on',
    )
  })
  test('are one where a layer is used twice, its fresh bias with it', () => {
    const layer: NodeSource[] = [
      ['Gemm', ['z', 'l.weight', 'l.bias'], ['first']],
      ['Gemm', ['first', 'l.weight', 'l.bias'], ['y']],
    ]
    const { trained } = read({ nodes: layer, constants: { 'l.weight': some(16, 16), 'l.bias': filled(0, 16) } })
    expect(trained).toEqual(['l.bias', 'l.weight'])
  })
  test('are a parameter and a running statistic apart', () => {
    const { trained, buffers } = read({
      nodes: [['BatchNormalization', ['z', 'bn.weight', 'bn.bias', 'bn.bias', 'bn.weight'], ['y']]],
      constants: { 'bn.weight': filled(1, 16), 'bn.bias': filled(0, 16) },
    })
    expect(trained).toEqual(['bn.bias', 'bn.weight'])
    expect([...buffers.keys()]).toEqual(['bn.bias of y', 'bn.weight of y'])
  })
})

test('Dropout passes its input on, said', () => {
  const { decisions } = read({ nodes: [['Dropout', ['z'], ['y', 'mask']]] })
  expect(decisions).toEqual(['Dropout (y) passes its input on, in training too'])
})

test('batch norm of a weight takes the statistics of the weight', () => {
  const standardized = (training_mode: number, mean: NodeSource[]): Case => ({
    before: [
      ['Reshape', ['k.weight', 'flat1'], ['f']],
      ...mean,
      ['BatchNormalization', ['f', 'k.gain', 'val_9', 'mean', 'variance'], ['n'], { training_mode }],
      ['Reshape', ['n', 'back'], ['k']],
      ['Conv', ['images', 'k'], ['x'], { pads: [1, 1, 1, 1] }],
    ],
    nodes: [['Relu', ['z'], ['y']]],
    constants: {
      ...{ 'k.weight': some(3, 3, 3, 3), 'k.gain': some(3), val_9: filled(0, 3) },
      ...{ flat1: int64s([3], [1, 3, 27]), back: int64s([4], [3, 3, 3, 3]) },
    },
  })
  const computed: NodeSource[] = [
    ['ReduceMean', ['f'], ['mean'], { axes: [0, 2], keepdims: 0 }],
    ['ReduceMean', ['f'], ['about'], { axes: [0, 2], keepdims: 1 }],
    ['Sub', ['f', 'about'], ['centred']],
    ['Mul', ['centred', 'centred'], ['squares']],
    ['ReduceMean', ['squares'], ['variance'], { axes: [0, 2], keepdims: 0 }],
  ]
  const dummies: NodeSource[] = [
    ['Constant', [], ['mean'], { value: filled(0, 3) }],
    ['Constant', [], ['variance'], { value: filled(1, 3) }],
  ]
  for (const source of [standardized(0, computed), standardized(1, dummies)]) {
    const found = read(source)
    expect(found.trained).toEqual(['k.gain', 'k.weight'])
    expect(found.buffers.size).toBe(0)
  }
})

test('statistics that a file computes of the batch, as in training mode, are refused', () => {
  const source: Case = {
    nodes: [
      ['ReduceMean', ['z'], ['mean'], { axes: [0], keepdims: 0 }],
      ['BatchNormalization', ['z', 's', 'o', 'mean', 'variance'], ['y']],
    ],
    constants: { s: some(16), o: some(16), variance: filled(1, 16) },
  }
  expect(() => read(source)).toThrow(
    'cannot use BatchNormalization (node y): its statistics are those of the batch, at inference too; export the model in evaluation mode',
  )
})

describe('is refused', () => {
  const source: Case = {
    nodes: [
      ['Greater', ['z', 'threshold'], ['above']],
      ['Where', ['above', 'z', 'block.bias'], ['y']],
    ],
    constants: { threshold: floats([], [0.2]), 'block.bias': some(16) },
  }
  test.each<[ReadOptions, string]>([
    [
      { train: ['block.bais'] },
      'expected the name of a float tensor of the model to train or freeze, got block.bais; near it are block.bias,',
    ],
    [{ train: ['threshold'] }, "threshold can't train: the logits have no gradient for it"],
    [{ train: ['b'], freeze: ['b'] }, 'b is asked to train and to stay as it is; ask for one'],
    [
      { freeze: ['w', 'b', 'v', 'c', 'block.bias'] },
      'no tensor of the model trains; name those that should with --train NAME, of w, b, block.bias, v, c',
    ],
  ])('%o', (options, message) => {
    expect(() => read({ ...source, options })).toThrow(message)
  })
})

describe('batch norm that the exporter merged in part', () => {
  const bytes = goldenBytes('exported/fixed/merged-1.onnx')
  /** Buffers that a training step moves. */
  const updatedIn = (bytes: Uint8Array, options?: ReadOptions) => {
    const { parameters, buffers, inputShape, forward } = networkOfModel(bytes, options)
    const graph = newGraph()
    const x = addInput(graph, 'x', 'float32', [4, ...inputShape])
    const { updates } = forward(opsFor(graph), x, declareValues(graph, [...parameters, ...buffers]), true)
    return [...updates.keys()]
  }
  test('trains by running statistics throughout, said', () => {
    const { model } = networkOfModel(bytes)
    expect(model.statistics).toBe('running')
    expect(updatedIn(bytes)).toEqual([])
    expect(model.decisions).toContain(
      'the exporter merged 1 batch norm into convolutions and left 1: those train by running statistics, which stay, so that all layers do the same; --batch-norm batch has them take the statistics of the batch',
    )
  })
  test('takes the statistics of the batch where that is asked for', () => {
    const { model } = networkOfModel(bytes, { batchNorm: 'batch' })
    expect(model.statistics).toBe('batch')
    expect(updatedIn(bytes, { batchNorm: 'batch' })).toEqual(['bn2.running_mean', 'bn2.running_var'])
    expect(model.decisions).toContain('1 batch norm train by the statistics of the batch, as asked')
  })
})
