/** Damaged and hostile ONNX files are read or refused in one line, in bounded time: never a crash, nor JavaScript's own words. */
import proto from 'onnx-proto'
import { describe, expect, test } from 'vitest'
import { networkOfModel } from '../../runner/engine/nn/exported.ts'
import { floats, int64s } from '../../runner/engine/onnx/tensor.ts'
import { type ModelSource, modelFile, type NodeSource } from '../support/onnx-file.ts'
import { goldenBytes } from './golden.ts'

const { ModelProto } = proto.onnx
const weights = { w: floats([6, 3], Array(18).fill(0.5)), b: floats([3], [0.1, 0.2, -0.3]) }
const source = (more: Partial<ModelSource> = {}): ModelSource => ({
  opset: 17,
  shape: ['batch', 2, 3],
  ...more,
  nodes: more.nodes ?? [
    ['Flatten', ['images'], ['flat']],
    ['Gemm', ['flat', 'w', 'b'], ['logits']],
  ],
  constants: { ...weights, ...more.constants },
})

const beside = goldenBytes('exported/cases/torch-default-export.onnx.data')

/** What a user is told; nothing where the file is read. */
function told(bytes: Uint8Array): string | undefined {
  try {
    networkOfModel(bytes, { external: () => beside })
    return undefined
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`
  }
}

const OWN_WORDS =
  /TypeError|RangeError|undefined|Cannot |is not a function|not iterable|call stack|Invalid array length|BigInt|\[object/

function expectRefusal(message: string) {
  expect(message).toMatch(/^Error: \P{Cc}{1,500}$/u)
  expect(message).not.toMatch(OWN_WORDS)
}

/** Small files that use most of what is read. */
const sources = (): Uint8Array[] => {
  const scaled = {
    name: 'Scaled',
    inputs: ['x'],
    outputs: ['y'],
    attributes: ['by'],
    nodes: [['Mul', ['x', 'x'], ['y']]] as NodeSource[],
  }
  const branch = (op: string) => ({ nodes: [[op, ['flat'], ['t']]] as NodeSource[], outputs: ['t'] })
  const mixed = source({
    functions: [scaled],
    nodes: [
      ['Shape', ['images'], ['s']],
      ['Slice', ['s', 'zero', 'one'], ['n']],
      ['Concat', ['n', 'rest'], ['shape'], { axis: 0 }],
      ['Reshape', ['images', 'shape'], ['flat']],
      ['Constant', [], ['c'], { value_int: 1 }],
      ['If', ['c'], ['x'], { then_branch: branch('Relu'), else_branch: branch('Neg') }],
      ['Scaled', ['x'], ['y'], { by: { float: 3 } }, 'own'],
      ['LayerNormalization', ['y', 'scale', 'shift'], ['v'], { axis: -1, epsilon: { float: 1e-5 } }],
      ['DequantizeLinear', ['stored', 'step'], ['w']],
      ['Gemm', ['v', 'w', 'b'], ['logits']],
    ],
    constants: {
      ...{ zero: int64s([1], [0]), one: int64s([1], [1]), rest: int64s([1], [6]), step: floats([], [0.5]) },
      ...{ scale: floats([6], Array(6).fill(1)), shift: floats([6], Array(6).fill(0)) },
      stored: { type: 'int8', shape: [6, 3], data: new Int8Array(18).fill(3) },
    },
  })
  delete mixed.constants!.w
  const old = source({
    opset: 9,
    nodes: [
      ['Upsample', ['images4', 'scales'], ['u'], { mode: 'nearest' }],
      ['Slice', ['u'], ['p'], { starts: [0, 0], ends: [9, 1], axes: [2, 3] }],
      ['Clip', ['p'], ['q'], { min: { float: 0 } }],
      ['Flatten', ['q'], ['flat']],
      ['Softmax', ['flat'], ['soft']],
      ['Gemm', ['soft', 'w', 'b'], ['logits']],
    ],
    constants: { scales: floats([4], [1, 1, 2, 2]) },
  })
  old.shape = ['batch', 1, 3, 2]
  const loop = source({
    shape: [4, 2, 3],
    nodes: [
      ['SplitToSequence', ['images', 'lengths'], ['list'], { axis: 2 }],
      ['SequenceAt', ['list', 'first'], ['part']],
      ['ConcatFromSequence', ['list'], ['whole'], { axis: 2 }],
      ['Cast', ['whole'], ['half'], { to: 10 }],
      ['Reshape', ['half', 'fixed'], ['flat']],
      ['QuantizeLinear', ['flat', 'step', 'middle'], ['q']],
      ['DequantizeLinear', ['q', 'step', 'middle'], ['f']],
      ['Gemm', ['f', 'w', 'b'], ['z']],
      [
        'Loop',
        ['count', '', 'z'],
        ['last', 'rows'],
        {
          body: {
            inputs: { i: 'int64', going: 'bool', sum: 'float32' },
            outputs: ['going2', 'next', 'row'],
            nodes: [
              ['Identity', ['going'], ['going2']],
              ['Tanh', ['sum'], ['next']],
              ['Identity', ['next'], ['row']],
            ],
          },
        },
      ],
      ['ReduceMax', ['rows'], ['peaks'], { axes: [0], keepdims: 0 }],
      ['ReduceSum', ['part', 'axes'], ['rest'], { keepdims: 0 }],
      ['Unsqueeze', ['rest', 'one'], ['column']],
      ['Add', ['peaks', 'column'], ['more']],
      ['Add', ['more', 'last'], ['y']],
      ['Softmax', ['y'], ['logits'], { axis: 1 }],
    ],
    constants: {
      ...{ lengths: int64s([2], [1, 2]), first: int64s([], [0]), count: int64s([], [2]), fixed: int64s([2], [4, 6]) },
      ...{ axes: int64s([2], [1, 2]), one: int64s([1], [1]), step: floats([], [0.5]) },
      middle: { type: 'uint8', shape: [], data: Uint8Array.of(128) },
    },
  })
  const renamed = { ...old, nodes: [['Identity', ['images'], ['images4']] as NodeSource, ...old.nodes] }
  return [
    modelFile(mixed),
    modelFile(renamed),
    modelFile(loop),
    goldenBytes('exported/cases/torch-default-export.onnx'),
    goldenBytes('exported/vit.onnx'),
  ]
}

/** Small numbers by an LCG, the same in every run. */
function randomOf(seed: number) {
  let state = seed
  return (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

type Damage = (bytes: Uint8Array, random: (below: number) => number, other: Uint8Array) => Uint8Array
const damages: Record<string, Damage> = {
  'flipped bits': (bytes, random) => {
    const copy = bytes.slice()
    for (let i = random(8); i >= 0; i--) copy[random(copy.length)]! ^= 1 << random(8)
    return copy
  },
  'other bytes': (bytes, random) => {
    const copy = bytes.slice()
    for (let i = random(4); i >= 0; i--) copy[random(copy.length)] = [0, 1, 127, 128, 255][random(5)]!
    return copy
  },
  'an early end': (bytes, random) => bytes.slice(0, random(bytes.length)),
  'a part of another file': (bytes, random, other) => {
    const [at, from] = [random(bytes.length), random(other.length)]
    return Uint8Array.from([
      ...bytes.subarray(0, at),
      ...other.subarray(from, from + random(200)),
      ...bytes.subarray(at + random(200)),
    ])
  },
  'a part twice': (bytes, random) => {
    const [at, length] = [random(bytes.length), random(300)]
    return Uint8Array.from([...bytes.subarray(0, at + length), ...bytes.subarray(at)])
  },
}

/** Whole messages with one thing changed: a number, a name, or an entry of a list that goes, comes twice or changes places. */
const changedMessage: Damage = (bytes, random) => {
  const message = ModelProto.toObject(ModelProto.decode(bytes), { longs: String })
  const places: [holder: Record<string, unknown>, key: string][] = []
  const names: string[] = []
  const visit = (holder: Record<string, unknown>) => {
    for (const [key, value] of Object.entries(holder)) {
      places.push([holder, key])
      if (typeof value === 'string') names.push(value)
      if (typeof value === 'object' && !(value instanceof Uint8Array)) visit(value as Record<string, unknown>)
    }
  }
  visit(message)
  const numbers = [
    '-9223372036854775808',
    '9223372036854775807',
    '4611686018427387904',
    '-1',
    '0',
    '1',
    '2',
    '3',
    '7',
    '4294967296',
  ]
  for (let i = random(3); i >= 0; i--) {
    const [holder, key] = places[random(places.length)]!
    const value = holder[key]
    if (typeof value === 'number') holder[key] = [Number.NaN, -1, 0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 1e30][random(13)]
    else if (typeof value === 'string' && /^-?\d+$/.test(value)) holder[key] = numbers[random(numbers.length)]
    else if (typeof value === 'string')
      holder[key] = ['', ...names, 'Reshape', 'Gather', 'Range', 'Split', 'Conv', 'TopK', 'constructor', '__proto__'][
        random(names.length + 9)
      ]
    else if (Array.isArray(value)) {
      const [from, to] = [random(value.length + 1), random(value.length + 1)]
      const [entry] = value.splice(from, random(2))
      if (entry !== undefined) value.splice(to, 0, ...Array(random(3)).fill(entry))
    } else delete holder[key]
  }
  try {
    return ModelProto.encode(ModelProto.fromObject(message)).finish()
  } catch {
    return bytes // protobuf itself can't write it
  }
}
damages['a message that says something else'] = changedMessage

test('the sources themselves are read', () => {
  const [mixed, old, loop, , vit] = sources()
  for (const bytes of [mixed, old, loop, vit]) expect(told(bytes!)).toBeUndefined()
})

test('every beginning of a file is refused', () => {
  const [mixed] = sources() as [Uint8Array]
  for (let length = 0; length < mixed.length; length++) {
    const message = told(mixed.slice(0, length))
    // What comes after the graph and its opset may be missing.
    if (message !== undefined) expectRefusal(message)
  }
})

describe('files with', () => {
  const PER_KIND = 640
  test.each(Object.entries(damages))('%s', (_, damage) => {
    const files = sources()
    // What is damaged is mostly structure, so that the large weights of the last file come seldom.
    const picks = [0, 0, 1, 1, 2, 2, 2, 3, 3, 4]
    for (let i = 0; i < PER_KIND; i++) {
      const random = randomOf(i)
      const bytes = files[picks[i % picks.length]!]!
      const before = performance.now()
      const message = told(damage(bytes, random, files[i % files.length]!))
      expect(performance.now() - before, `file ${i}`).toBeLessThan(2000)
      if (message !== undefined) expectRefusal(message)
    }
  })
})
