/** ONNX files made to hurt: a few bytes that ask for any depth, size or time are refused in one line, soon. */
import proto from 'onnx-proto'
import { describe, expect, test } from 'vitest'
import { networkOfModel } from '../../runner/engine/nn/exported.ts'
import { floats, int64s, type Tensor } from '../../runner/engine/onnx/tensor.ts'
import { type ModelSource, modelFile, modelMessage, type NodeSource } from '../support/onnx-file.ts'

// biome-ignore lint/suspicious/noExplicitAny: protobuf messages are edited in place
type Message = any
const { GraphProto, ModelProto } = proto.onnx

const linear: NodeSource[] = [
  ['Flatten', ['images'], ['flat']],
  ['Gemm', ['flat', 'w', 'b'], ['z']],
]
const source = (
  nodes: readonly NodeSource[],
  constants: Record<string, Tensor> = {},
  more: Partial<ModelSource> = {},
) => ({
  opset: 18,
  shape: ['batch', 2, 3],
  nodes: [...linear, ...nodes],
  constants: { w: floats([6, 3], Array(18).fill(0.5)), b: floats([3], [0, 0, 0]), ...constants },
  ...more,
})
const last: NodeSource = ['Identity', ['z'], ['logits']]

function edited(edit: (model: Message) => void, nodes: readonly NodeSource[] = [last]): Uint8Array {
  const message = modelMessage(source(nodes))
  edit(message)
  return ModelProto.encode(message).finish()
}

/** What a user is told within two seconds. */
function told(bytes: Uint8Array): string {
  const before = performance.now()
  let message = 'nothing'
  try {
    networkOfModel(bytes)
  } catch (error) {
    message = (error as Error).message
  }
  expect(performance.now() - before).toBeLessThan(2000)
  expect(message).toMatch(/^\P{Cc}{1,500}$/u)
  expect(message).not.toMatch(/undefined|Cannot |is not a function|call stack|Invalid|BigInt/)
  return message
}

const varint = (number: number): number[] =>
  number < 128 ? [number] : [(number % 128) + 128, ...varint(Math.floor(number / 128))]
const bytesField = (field: number, length: number) => [...varint(field * 8 + 2), ...varint(length)]

/** Nodes with an attribute that is a graph with such a node, and so on: fields of protobuf, from the outermost. */
function nestedGraphs(depth: number): Uint8Array {
  const [NODE, ATTRIBUTE, GRAPH] = [1, 5, 6]
  const type = [...varint(20 * 8), 5]
  const parts: number[][] = []
  let length = 0
  const wrap = (part: number[]) => {
    parts.push(part)
    length += part.length
  }
  for (let level = 0; level < depth; level++) {
    wrap(bytesField(GRAPH, length))
    wrap(type)
    wrap(bytesField(ATTRIBUTE, length))
    wrap(bytesField(NODE, length))
  }
  return Uint8Array.from(parts.reverse().flat())
}
/** A model with more in its graph. */
function withGraph(inner: Uint8Array): Uint8Array {
  const message = modelMessage(source([last]))
  const graph = [...GraphProto.encode(message.graph as Message).finish(), ...inner]
  message.graph = null
  return Uint8Array.from([...ModelProto.encode(message).finish(), ...bytesField(7, graph.length), ...graph])
}

describe('depth:', () => {
  test.each([20, 300, 3000, 100_000])('graphs within graphs, %i', (depth) => {
    expect(told(withGraph(nestedGraphs(depth)))).toMatch(
      depth < 3000
        ? 'nests graphs deeper than 16'
        : /nests graphs deeper than 16|expected an ONNX model|more than 2000000 nodes/,
    )
  })
  test('groups of protobuf', () => {
    const groups = new Uint8Array(200_000).fill(99 * 8 + 3 - 700)
    expect(told(Uint8Array.from([...modelFile(source([last])), ...groups]))).toContain('expected an ONNX model')
  })
  test('functions that call functions', () => {
    const functions = Array.from({ length: 20_000 }, (_, i) => ({
      name: `F${i}`,
      inputs: ['x'],
      outputs: ['y'],
      nodes: [[`F${i + 1}`, ['x'], ['y'], {}, 'own']] as NodeSource[],
    }))
    const bytes = modelFile(source([['F0', ['z'], ['logits'], {}, 'own']], {}, { functions }))
    expect(told(bytes)).toContain('nests calls of functions deeper than 64')
  })
})

describe('sizes that the file does not have:', () => {
  test.each([
    ['2^62', '4611686018427387904'],
    ['-1', '-1'],
    ['2^40', String(2 ** 40)],
  ])('a dimension of %s', (_, extent) => {
    const { initializer } = ModelProto.fromObject({ graph: { initializer: [{ dims: [extent] }] } }).graph as Message
    const bytes = edited(({ graph }) => {
      graph.initializer[0].dims = initializer[0].dims
    })
    expect(told(bytes)).toMatch(/which no tensor can have|needs 1099511627776 numbers of float32, but has 18/)
  })
  test('dimensions without end', () => {
    const bytes = edited(({ graph }) => {
      graph.initializer[0].dims = Array(200_000).fill(1)
    })
    expect(told(bytes)).toContain('which no tensor can have')
  })
  test('fewer numbers, or more', () => {
    for (const length of [0, 3, 71, 73, 144]) {
      const bytes = edited(({ graph }) => {
        graph.initializer[0].rawData = new Uint8Array(length)
      })
      expect(told(bytes)).toContain('the tensor w of the shape [6,3] needs 18 numbers of float32, but has')
    }
  })
  test('raw bytes past the end', () => {
    const claim = [...bytesField(5, 2 ** 31), ...bytesField(9, 2 ** 31 - 8)]
    expect(told(withGraph(Uint8Array.from(claim)))).toContain('expected an ONNX model')
  })
})

describe('sizes that ops ask for:', () => {
  const huge = {
    huge: int64s([2], [2 ** 31, 2 ** 31]),
    many: int64s([1], [2 ** 40]),
    zero: int64s([], [0]),
    one: int64s([], [1]),
    big: int64s([], [2 ** 40]),
  }
  const cases: Record<string, NodeSource[]> = {
    Expand: [
      ['Unsqueeze', ['z', 'axes'], ['u']],
      ['Expand', ['u', 'huge4'], ['e']],
    ],
    ConstantOfShape: [['ConstantOfShape', ['huge'], ['e']]],
    Range: [['Range', ['zero', 'big', 'one'], ['e']]],
    Tile: [['Tile', ['z', 'huge'], ['e']]],
    OneHot: [['OneHot', ['zero', 'many', 'ends'], ['e']]],
    Pad: [['Pad', ['z', 'pads'], ['e']]],
    Resize: [['Resize', ['z', '', '', 'huge'], ['e'], { mode: 'nearest' }]],
    doubling: Array.from(
      { length: 80 },
      (_, i): NodeSource => [
        'Concat',
        [i ? `d${i}` : 'z', i ? `d${i}` : 'z'],
        [i < 79 ? `d${i + 1}` : 'e'],
        { axis: 0 },
      ],
    ),
    Split: [['Split', ['z'], ['e'], { axis: 1, num_outputs: 2 ** 31 }]],
    TopK: [['TopK', ['z', 'many'], ['e', 'indices']]],
  }
  test.each(Object.entries(cases))('%s', (_, nodes) => {
    const constants = {
      ...huge,
      axes: int64s([2], [0, 1]),
      huge4: int64s([4], [2 ** 31, 2 ** 31, 2, 3]),
      ends: floats([2], [0, 1]),
      pads: int64s([4], [2 ** 40, 2 ** 40, 0, 0]),
    }
    const bytes = modelFile(
      source([...nodes, ['ReduceSum', ['e'], ['sum']], ['Add', ['z', 'sum'], ['logits']]], constants),
    )
    expect(told(bytes)).toMatch(/^cannot use/)
  })
})

describe('parts without end:', () => {
  const COUNT = 4_000_000
  // An empty node in two bytes; and one of an attribute with ints of a byte each.
  const nodes = new Uint8Array(COUNT).map((_, i) => (i % 2 === 0 ? 1 * 8 + 2 : 0))
  const ints = () => {
    const list = [...varint(20 * 8), 7, ...bytesField(8, COUNT)]
    const attribute = [...bytesField(5, list.length + COUNT), ...list]
    const node = [...bytesField(1, attribute.length + COUNT), ...attribute]
    const bytes = new Uint8Array(node.length + COUNT)
    bytes.set(node)
    return bytes
  }
  test.each([
    ['nodes', () => nodes],
    ['numbers', ints],
  ])('%s', (_, make) => {
    const graph = make()
    const bytes = new Uint8Array(bytesField(7, graph.length).length + graph.length)
    bytes.set(bytesField(7, graph.length))
    bytes.set(graph, bytes.length - graph.length)
    expect(told(bytes)).toContain('the file has more than 2000000 nodes, names and numbers')
  })
})

describe('order and names:', () => {
  test('a cycle', () => {
    const bytes = modelFile(
      source([
        ['Add', ['z', 'c'], ['a']],
        ['Relu', ['a'], ['c']],
        ['Neg', ['c'], ['logits']],
      ]),
    )
    expect(told(bytes)).toContain('which needs it in turn; a model has no cycles')
  })
  test('a tensor that nothing makes', () => {
    expect(told(modelFile(source([['Add', ['z', 'nothing'], ['logits']]])))).toContain(
      'uses nothing, a tensor that the model',
    )
    expect(told(modelFile(source([['Neg', ['z'], ['y']]])))).toContain('nothing in the model makes its output logits')
  })
  test('a tensor that is made twice', () => {
    expect(told(modelFile(source([['Neg', ['z'], ['logits']], last])))).toContain(
      'makes logits, which the model has already',
    )
    expect(told(modelFile(source([['Neg', ['z'], ['w']], last])))).toContain('makes w, which the model has already')
    const bytes = edited(({ graph }) => graph.initializer.push(graph.initializer[0]))
    expect(told(bytes)).toContain('the file has two tensors w')
  })
  test('names of any length, over lines', () => {
    const name = `a\n\u001b[31m${'x'.repeat(100_000)}`
    const told1 = told(modelFile(source([['Neg', [name], ['logits']]])))
    expect(told1.length).toBeLessThan(400)
    told(modelFile(source([[name, ['z'], ['logits']]])))
    told(modelFile(source([['Relu', ['z'], ['logits'], {}, name]])))
    told(
      edited(({ graph }) => {
        graph.input[0].name = name
      }),
    )
    told(
      modelFile(
        source([
          ['Conv', ['z', 'w'], [name]],
          ['Neg', [name], ['logits']],
        ]),
      ),
    )
  })
  test.each(['constructor', '__proto__', 'toString'])('an op or attribute called %s', (name) => {
    expect(told(modelFile(source([[name, ['z'], ['logits']]])))).toContain(`no op or attribute is called ${name}`)
    const bytes = edited(({ graph }) => {
      graph.node[0].attribute = [{ name, type: 2, i: 1 }]
    })
    expect(told(bytes)).toContain(`no op or attribute is called ${name}`)
  })
  test('thousands of nodes are no harm', () => {
    const nodes = Array.from(
      { length: 5000 },
      (_, i): NodeSource => ['Relu', [i ? `r${i}` : 'z'], [i < 4999 ? `r${i + 1}` : 'logits']],
    )
    expect(told(modelFile(source(nodes)))).toBe('nothing')
  })
  test('a tensor that is doubled again and again, or used by thousands of nodes, is no harm', () => {
    const doubled = Array.from({ length: 60 }, (_, i): NodeSource => ['Add', [`c${i}`, `c${i}`], [`c${i + 1}`]])
    const c0 = floats([3], [1e-20, 2e-20, 3e-20])
    expect(told(modelFile(source([...doubled, ['Add', ['z', 'c60'], ['logits']]], { c0 })))).toBe('nothing')
    const shared = Array.from(
      { length: 3000 },
      (_, i): NodeSource => ['Mul', [i ? `r${i}` : 'z', 'gain'], [i < 2999 ? `r${i + 1}` : 'logits']],
    )
    expect(told(modelFile(source(shared, { gain: floats([3], [1, 1.1, 0.9]) })))).toBe('nothing')
  })
})
