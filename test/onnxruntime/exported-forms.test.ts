/** What files hold beside plain nodes and weights of float32: functions, branches, loops, other element types, few bits, files
 *  beside. Answers are held against those of onnxruntime, or of the same model in plain form. */

import proto from 'onnx-proto'
import { describe, expect, test } from 'vitest'
import { networkOfModel } from '../../runner/engine/nn/exported.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { floats, int64s, numbersOf, type Tensor, tensor } from '../../runner/engine/onnx/tensor.ts'
import type { ReadOptions } from '../../runner/engine/reading/file-model.ts'
import { parseModel } from '../../runner/engine/reading/read.ts'
import { readModel } from '../support/exported-graph.ts'
import { type ModelSource, modelFile, modelMessage, type NodeSource } from '../support/onnx-file.ts'
import { uniforms } from './uniform.ts'

// biome-ignore lint/suspicious/noExplicitAny: protobuf messages are edited in place
type Message = any

const BATCH = 2
const images = floats([BATCH, 2, 3], uniforms(5, BATCH * 6, -1, 1))
const weights = { w: floats([6, 3], uniforms(6, 18, -1, 1)), b: floats([3], [0.1, 0.2, -0.3]) }
const linear: NodeSource[] = [
  ['Flatten', ['images'], ['flat']],
  ['Gemm', ['flat', 'w', 'b'], ['z']],
]
const model = (nodes: readonly NodeSource[], more: Partial<ModelSource> = {}): ModelSource => ({
  opset: 17,
  shape: ['batch', 2, 3],
  nodes: [...linear, ...nodes],
  ...more,
  constants: { ...weights, ...more.constants },
})
const bool = (value: boolean) => tensor('bool', [], Uint8Array.of(Number(value)))
const scalar = (value: number) => int64s([], [value])

async function ofOnnxruntime(bytes: Uint8Array): Promise<number[]> {
  const session = await openSession(bytes)
  const { logits } = await session.run({ images })
  await session.release()
  return numbersOf(logits!)
}

async function own(bytes: Uint8Array, options: ReadOptions = {}): Promise<number[]> {
  const { graph, parameters, buffers } = readModel(bytes, { batchSize: BATCH, ...options })
  const session = await openSession(graph)
  const values = [...parameters, ...buffers].map(([{ name }, content]) => [name, content] as const)
  const { logits } = await session.run({ ...Object.fromEntries(values), x: images })
  await session.release()
  return numbersOf(logits!)
}

function expectClose(found: readonly number[], expected: readonly number[], digits = 5) {
  expect(found.length).toBe(expected.length)
  for (const [i, entry] of found.entries()) expect(entry).toBeCloseTo(expected[i]!, digits)
}

async function expectAnswers(source: ModelSource) {
  const bytes = modelFile(source)
  expectClose(await own(bytes), await ofOnnxruntime(bytes))
  return networkOfModel(bytes)
}

const refusal = (source: ModelSource) => () => networkOfModel(modelFile(source))

describe('functions', () => {
  const scaled = {
    name: 'Scaled',
    inputs: ['x'],
    outputs: ['y'],
    attributes: ['by'],
    nodes: [
      ['Constant', [], ['factor'], { value_float: { call: 'by', type: 1 } }],
      ['Mul', ['x', 'factor'], ['y']],
    ] as NodeSource[],
  }

  test('are written out with the attributes of each call', async () => {
    await expectAnswers(
      model(
        [
          ['Scaled', ['z'], ['z2'], { by: { float: 3 } }, 'own'],
          ['Scaled', ['z2'], ['z3'], { by: { float: -0.5 } }, 'own'],
          ['Add', ['z3', 'z'], ['logits']],
        ],
        { functions: [scaled] },
      ),
    )
  })

  test('call functions, keep names apart, and pass inputs on', async () => {
    const twice = {
      name: 'Twice',
      inputs: ['x', 'unused'],
      outputs: ['y', 'x'],
      nodes: [
        ['Scaled', ['x'], ['factor'], { by: { float: 2 } }, 'own'],
        ['Scaled', ['factor'], ['y'], { by: { float: 2 } }, 'own'],
      ] as NodeSource[],
    }
    const bytes = modelFile(
      model(
        [
          ['Twice', ['z'], ['z4', 'same'], {}, 'own'],
          ['Add', ['z4', 'same'], ['logits']],
        ],
        { functions: [scaled, twice] },
      ),
    )
    const plain = model([['Mul', ['z', 'five'], ['logits']]], { constants: { five: floats([], [4 + 1]) } })
    expectClose(await own(bytes), await ofOnnxruntime(modelFile(plain)))
  })

  test('are of an opset of their own', async () => {
    const older = {
      name: 'Older',
      inputs: ['x'],
      outputs: ['y'],
      opset: 12,
      nodes: [['Softmax', ['x'], ['y']]] as NodeSource[],
    }
    const read = model(
      [
        ['Unsqueeze', ['z', 'one'], ['wide']],
        ['Older', ['wide'], ['s'], {}, 'own'],
        ['Flatten', ['s'], ['p']],
        ['Neg', ['p'], ['logits']],
      ],
      {
        functions: [older],
        constants: { one: int64s([1], [2]) },
      },
    )
    // Over both axes together since opset 12 says so; opset 17 would give ones.
    const plain = model([
      ['Softmax', ['z'], ['p']],
      ['Neg', ['p'], ['logits']],
    ])
    expectClose(await own(modelFile(read)), await ofOnnxruntime(modelFile(plain)))
  })

  test('take what a call leaves out from their defaults', async () => {
    const source = model(
      [
        ['Scaled', ['z'], ['z2'], {}, 'own'],
        ['Scaled', ['z2'], ['logits'], { by: { float: 2 } }, 'own'],
      ],
      { functions: [scaled] },
    )
    // [field 25, function] with [field 11, attribute] at its end: newer than the library's definition of ONNX.
    const { AttributeProto, FunctionProto, ModelProto } = proto.onnx
    const message = modelMessage(source)
    const [body] = message.functions
    message.functions = []
    const attribute = AttributeProto.encode({ name: 'by', type: 1, f: 5 }).finish()
    const inner = [...FunctionProto.encode(body!).finish(), 11 * 8 + 2, attribute.length, ...attribute]
    const varint = (number: number): number[] =>
      number < 128 ? [number] : [(number % 128) + 128, ...varint(number >> 7)]
    const bytes = Uint8Array.from([
      ...ModelProto.encode(message).finish(),
      ...varint(25 * 8 + 2),
      ...varint(inner.length),
      ...inner,
    ])
    expectClose(await own(bytes), await ofOnnxruntime(bytes))
  })

  test('that never end, or stand for too much, are refused', () => {
    const calling = (name: string, callee: string) => ({
      name,
      inputs: ['x'],
      outputs: ['y'],
      nodes: [
        [callee, ['x'], ['a'], {}, 'own'],
        [callee, ['a'], ['y'], {}, 'own'],
      ] as NodeSource[],
    })
    const call: NodeSource[] = [['F0', ['z'], ['logits'], {}, 'own']]
    expect(refusal(model(call, { functions: [calling('F0', 'F0')] }))).toThrow('own.F0 calls itself')
    const functions = Array.from({ length: 60 }, (_, i) => calling(`F${i}`, `F${i + 1}`))
    expect(refusal(model(call, { functions: [...functions, { ...scaled, name: 'F60' }] }))).toThrow(
      'stand for more than',
    )
  })
})

describe('weights in Constant nodes', () => {
  test('train like any other', async () => {
    const { w, b } = weights
    const read = await expectAnswers({
      opset: 17,
      shape: ['batch', 2, 3],
      nodes: [
        ['Constant', [], ['w'], { value: w }],
        ['Constant', [], ['b'], { value: b }],
        ...linear,
        ['Relu', ['z'], ['logits']],
      ],
    })
    expect(read.parameters.map(({ name }) => name)).toEqual(['w', 'b'])
  })

  test('of a function are the same for each call', async () => {
    const layer = {
      name: 'Layer',
      inputs: ['x'],
      outputs: ['y'],
      nodes: [
        ['Constant', [], ['k'], { value: floats([3, 3], uniforms(9, 9, -1, 1)) }],
        ['MatMul', ['x', 'k'], ['y']],
      ] as NodeSource[],
    }
    const read = await expectAnswers(
      model(
        [
          ['Layer', ['z'], ['first'], {}, 'own'],
          ['Layer', ['first'], ['logits'], {}, 'own'],
        ],
        { functions: [layer] },
      ),
    )
    expect(read.parameters.map(({ name }) => name).toSorted()).toEqual(['b', 'own.Layer/k', 'w'])
  })
})

describe('weights that ConstantOfShape makes', () => {
  const shapes = { 'w.shape': int64s([2], [6, 3]), 'b.shape': int64s([1], [3]) }
  const filler = floats([1], [0.25])
  const w: NodeSource = ['ConstantOfShape', ['w.shape'], ['w'], { value: filler }]
  const b: NodeSource = ['ConstantOfShape', ['b.shape'], ['b']]

  test('train like any other', async () => {
    const nodes: NodeSource[] = [w, b, ...linear, ['Relu', ['z'], ['logits']]]
    const read = await expectAnswers({ opset: 9, shape: [2, 2, 3], nodes, constants: shapes })
    expect(read.parameters.map(({ name }) => name)).toEqual(['w', 'b'])
    expect(read.model.decisions).toContain(
      'the file makes 2 weights by ConstantOfShape, all entries of each equal; they begin with that',
    )
  })

  test('stand for none beside a weight that the file holds', async () => {
    const nodes: NodeSource[] = [b, ...linear, ['Relu', ['z'], ['logits']]]
    const constants = { w: weights.w, 'b.shape': int64s([1], [3]) }
    const read = await expectAnswers({ opset: 9, shape: ['batch', 2, 3], nodes, constants })
    expect(read.parameters.map(({ name }) => name)).toEqual(['w'])
  })

  test('are not made beyond what a machine holds', () => {
    const constants = { ...shapes, 'w.shape': int64s([2], [2 ** 40, 3]) }
    const nodes: NodeSource[] = [w, b, ...linear, ['Relu', ['z'], ['logits']]]
    expect(() => networkOfModel(modelFile({ opset: 9, shape: ['batch', 2, 3], nodes, constants }))).toThrow(Error)
  })
})

test('a mask that Dropout leaves is of training, and nothing at inference', async () => {
  await expectAnswers({ ...model([['Dropout', ['z'], ['logits', 'mask']]], { opset: 9 }), shape: [2, 2, 3] })
})

describe('branches', () => {
  const branch = (node: NodeSource, constants: Record<string, Tensor> = {}) => ({
    nodes: [node],
    outputs: node[2],
    constants,
  })
  const branches = {
    then_branch: branch(['Mul', ['z', 'two'], ['t']], { two: floats([], [2]) }),
    else_branch: branch(['Neg', ['z'], ['t']]),
  }

  test.each([true, false])('of a constant: %s', async (value) => {
    await expectAnswers(model([['If', ['c'], ['logits'], branches]], { constants: { c: bool(value) } }))
  })

  test('that follow from shapes', async () => {
    await expectAnswers(
      model(
        [
          ['Shape', ['flat'], ['s']],
          ['Gather', ['s', 'one'], ['columns']],
          ['Equal', ['columns', 'six'], ['c']],
          ['If', ['c'], ['logits'], branches],
        ],
        { constants: { one: scalar(1), six: scalar(6) } },
      ),
    )
  })

  test('within branches and functions, with weights of their own', async () => {
    const inner: NodeSource = ['If', ['d'], ['inner'], branches]
    const chooses = {
      name: 'Chooses',
      inputs: ['z', 'c', 'd'],
      outputs: ['y'],
      nodes: [
        [
          'If',
          ['c'],
          ['y'],
          { then_branch: { nodes: [inner], outputs: ['inner'] }, else_branch: branch(['Neg', ['z'], ['n']]) },
        ],
      ] as NodeSource[],
    }
    const { model: read } = await expectAnswers(
      model(
        [
          ['Chooses', ['z', 'c', 'd'], ['y'], {}, 'own'],
          [
            'If',
            ['c'],
            ['logits'],
            {
              then_branch: branch(['Mul', ['y', 'k'], ['t']], { k: floats([3], [1, 2, 3]) }),
              else_branch: branch(['Neg', ['y'], ['n']]),
            },
          ],
        ],
        { functions: [chooses], constants: { c: bool(true), d: bool(false) } },
      ),
    )
    expect([...read.parameters.keys()]).toHaveLength(3)
  })

  test('that depend on images, or on the size of the batch, are refused', () => {
    const asks = (nodes: NodeSource[]) =>
      model([...nodes, ['If', ['c'], ['logits'], branches]], {
        constants: { zero: scalar(0), two: scalar(2), none: floats([], [0]) },
      })
    expect(
      refusal(
        asks([
          ['ReduceSum', ['z'], ['total'], { keepdims: 0 }],
          ['Greater', ['total', 'none'], ['c']],
        ]),
      ),
    ).toThrow('cannot use If (node logits): its condition depends on the images')
    expect(
      refusal(
        asks([
          ['Shape', ['z'], ['s']],
          ['Gather', ['s', 'zero'], ['n']],
          ['Equal', ['n', 'two'], ['c']],
        ]),
      ),
    ).toThrow('what logits runs depends on the size of the batch')
  })
})

describe('loops', () => {
  const body = {
    inputs: { i: 'int64', going: 'bool', sum: 'float32' } as const,
    outputs: ['goes', 'next', 'row'],
    nodes: [
      ['Identity', ['going'], ['goes']],
      ['Cast', ['i'], ['step'], { to: 1 }],
      ['Add', ['sum', 'step'], ['more']],
      ['Mul', ['more', 'z'], ['next']],
      ['Identity', ['next'], ['row']],
    ] as NodeSource[],
  }

  test('of a known length are written out', async () => {
    await expectAnswers(
      model(
        [
          ['Loop', ['count', '', 'z'], ['last', 'rows'], { body }],
          ['ReduceMax', ['rows'], ['peaks'], { axes: [0], keepdims: 0 }],
          ['Add', ['last', 'peaks'], ['logits']],
        ],
        { constants: { count: scalar(3) } },
      ),
    )
  })

  test('have one tensor for a weight of their body, however often it runs', async () => {
    const layer = {
      inputs: { i: 'int64', going: 'bool', x: 'float32' } as const,
      outputs: ['goes', 'next'],
      constants: { k: floats([3, 3], uniforms(9, 9, -1, 1)) },
      nodes: [
        ['Identity', ['going'], ['goes']],
        ['Constant', [], ['shift'], { value: floats([3], [0.1, 0.2, 0.3]) }],
        ['Identity', ['k'], ['same']],
        ['MatMul', ['x', 'same'], ['product']],
        ['Add', ['product', 'shift'], ['next']],
      ] as NodeSource[],
    }
    const { parameters } = await expectAnswers(
      model([['Loop', ['count', '', 'z'], ['logits'], { body: layer }]], { constants: { count: scalar(3) } }),
    )
    expect(parameters.map(({ name }) => name).toSorted()).toEqual(['b', 'logits/k', 'logits/shift', 'w'])
  })

  test('that end by a condition are written out', async () => {
    const until = { ...body, nodes: [['Less', ['i', 'two'], ['goes']], ...body.nodes.slice(1)] as NodeSource[] }
    await expectAnswers(
      model([['Loop', ['', 'yes', 'z'], ['logits', 'rows'], { body: until }]], {
        constants: { yes: bool(true), two: scalar(2) },
      }),
    )
  })

  test('without end are refused', () => {
    const forever = { inputs: { i: 'int64', going: 'bool' } as const, outputs: ['going'], nodes: [] }
    for (const count of [1e12, 1e6])
      expect(
        refusal(
          model(
            [
              ['Loop', ['count', 'yes'], [], { body: forever }],
              ['Neg', ['z'], ['logits']],
            ],
            { constants: { count: scalar(count), yes: bool(true) } },
          ),
        ),
      ).toThrow('loops stand for more than')
  })
})

test('loops whose length is computed, and other ops that hold graphs, are refused', () => {
  const inputs = { i: 'int64', going: 'bool', x: 'float32' } as const
  const nodes: NodeSource[] = [['Neg', ['x'], ['y']]]
  const counted: NodeSource[] = [
    ['ReduceSum', ['z'], ['sum'], { keepdims: 0 }],
    ['Cast', ['sum'], ['count'], { to: 7 }],
    ['Loop', ['count', '', 'z'], ['logits'], { body: { inputs, outputs: ['going', 'y'], nodes } }],
  ]
  expect(refusal(model(counted))).toThrow('cannot use Loop (node logits): how often it runs depends on the images')
  const step = { inputs: { x: 'float32' } as const, outputs: ['y'], nodes }
  expect(refusal(model([['Scan', ['z'], ['logits'], { num_scan_inputs: 1, body: step }]]))).toThrow(
    'cannot use Scan (node logits): ops that hold graphs are not supported but for If and Loop',
  )
})

describe('element types', () => {
  const read = (edit: (graph: Message) => void, nodes: NodeSource[] = [['Identity', ['z'], ['logits']]]) => {
    const message = modelMessage(model(nodes))
    edit(message.graph)
    return proto.onnx.ModelProto.encode(message).finish()
  }
  const restored = (type: number, rawOf: (value: number) => number[]) => (graph: Message) => {
    for (const weight of graph.initializer) {
      if (weight.dataType !== 1) continue
      const numbers = new Float32Array(new Uint8Array(weight.rawData).buffer)
      Object.assign(weight, { dataType: type, rawData: Uint8Array.from([...numbers].flatMap(rawOf)) })
    }
  }
  const bytesOf = (array: ArrayBufferView) => [...new Uint8Array(array.buffer, array.byteOffset, array.byteLength)]
  const expected = () => ofOnnxruntime(modelFile(model([['Identity', ['z'], ['logits']]])))

  test('weights of float64 train in float32', async () => {
    const bytes = read(restored(11, (value) => bytesOf(Float64Array.of(value))))
    expectClose(await own(bytes), await expected())
    expect(parseModel(bytes).decisions).toContain('weights are stored as float64 and train in float32')
  })

  test('single weights of float64 train too', () => {
    const bytes = modelFile(
      model(
        [
          ['Gemm', ['z', 'v', 'c'], ['y']],
          ['Concat', ['y', 'z'], ['logits'], { axis: 1 }],
        ],
        {
          constants: { v: floats([3, 1], [1, 2, 3]), c: tensor('float64', [1], Float64Array.of(0.5)) },
        },
      ),
    )
    expect(parseModel(bytes).parameters.get('c')).toEqual(floats([1], [0.5]))
  })

  test('weights of bfloat16 and float16 train in float32', async () => {
    const upper = read(restored(16, (value) => bytesOf(Float32Array.of(value)).slice(2)))
    expectClose(await own(upper), await expected(), 1)
    expect(parseModel(upper).decisions).toContain('weights are stored as bfloat16 and train in float32')
    const half = read((graph) => {
      const [bias] = graph.initializer.filter(({ name }: { name: string }) => name === 'b')
      // 1.5, -2^-24, infinity
      Object.assign(bias, { dataType: 10, rawData: new Uint8Array(), int32Data: [0x3e00, 0x8001, 0x7c00] })
    })
    expect([...numbersOf(parseModel(half).parameters.get('b')!)]).toEqual([1.5, -(2 ** -24), Number.POSITIVE_INFINITY])
  })

  test('shape arithmetic in doubles is exact', async () => {
    // In float32, 6 - 1e-9 is 6.
    const bytes = modelFile(
      model(
        [
          ['Shape', ['flat'], ['s'], { start: 1 }],
          ['Cast', ['s'], ['columns'], { to: 11 }],
          ['Sub', ['columns', 'little'], ['fewer']],
          ['Floor', ['fewer'], ['whole']],
          ['Cast', ['whole'], ['count'], { to: 7 }],
          ['Slice', ['flat', 'from', 'count', 'axis'], ['part']],
          ['ReduceSum', ['part', 'axis'], ['sum']],
          ['Add', ['sum', 'z'], ['logits']],
        ],
        {
          constants: {
            little: tensor('float64', [], Float64Array.of(1e-9)),
            from: int64s([1], [0]),
            axis: int64s([1], [1]),
          },
        },
      ),
    )
    expectClose(await own(bytes), await ofOnnxruntime(bytes))
  })

  test('indices of few bits are indices', async () => {
    const bytes = read(
      (graph) => {
        graph.initializer.push({ name: 'order', dataType: 5, dims: [3], int32Data: [2, 0, 1] })
        graph.node.find(({ opType }: { opType: string }) => opType === 'Cast')
      },
      [
        ['Cast', ['order'], ['wide'], { to: 7 }],
        ['Gather', ['z', 'wide'], ['logits'], { axis: 1 }],
      ],
    )
    expectClose(await own(bytes), await ofOnnxruntime(bytes))
  })

  test.each([
    [8, 'string'],
    [14, 'complex64'],
    [17, 'float8e4m3fn'],
    [22, 'int4'],
  ])('of type %i are refused', (type, name) => {
    const bytes = read((graph) => {
      graph.initializer.push({ name: 'odd', dataType: type, dims: [1], rawData: Uint8Array.of(1) })
    })
    expect(() => parseModel(bytes)).toThrow(
      `the tensor odd is of the element type ${name}, in which nothing trains; export the model in float32`,
    )
  })

  test('whole numbers of other widths are refused where they are computed', () => {
    const cast: NodeSource[] = [
      ['Cast', ['z'], ['u'], { to: 12 }],
      ['Cast', ['u'], ['logits'], { to: 1 }],
    ]
    expect(refusal(model(cast))).toThrow(
      'cannot use Cast (node u): it gives uint32, which only tensors of the file can be',
    )
    const bytes = read((graph) => {
      graph.initializer.push({ name: 'most', dataType: 13, dims: [1], rawData: new Uint8Array(8).fill(255) })
    })
    expect(() => parseModel(bytes)).toThrow('the file holds 18446744073709551615 as a uint64')
  })

  test('sparse weights are refused', () => {
    const bytes = read((graph) => {
      graph.sparseInitializer = [{ values: { name: 's', dataType: 1, dims: [1], floatData: [1] }, dims: [3] }]
    })
    expect(() => parseModel(bytes)).toThrow('the file has sparse weights, which do not train')
  })

  test('sequences are refused', () => {
    const bytes = read((graph) => {
      graph.input[0].type = { sequenceType: { elemType: { tensorType: { elemType: 1 } } } }
    })
    expect(() => parseModel(bytes)).toThrow('the input images is no tensor')
  })
})

test('nodes in any order are run in one that works, as onnxruntime does', async () => {
  const inner = { nodes: [['Add', ['late', 'z'], ['sum']]] as NodeSource[], outputs: ['sum'] }
  const source = model(
    [
      ['If', ['c'], ['logits'], { then_branch: inner, else_branch: inner }],
      ['Neg', ['later'], ['late']],
      ['Relu', ['z'], ['later']],
    ],
    { constants: { c: bool(true) } },
  )
  await expectAnswers({ ...source, nodes: source.nodes.toReversed() })
})

describe('lists of tensors', () => {
  const lengths = int64s([2], [1, 2])
  const [first, second] = [scalar(0), scalar(-1)]

  test('that a Split fills are its parts', async () => {
    await expectAnswers(
      model(
        [
          ['SplitToSequence', ['z', 'lengths'], ['list'], { axis: 1 }],
          ['SequenceAt', ['list', 'first'], ['a']],
          ['SequenceAt', ['list', 'second'], ['c']],
          ['Concat', ['c', 'a'], ['logits'], { axis: 1 }],
        ],
        { constants: { lengths, first, second } },
      ),
    )
  })

  test('of given tensors are joined', async () => {
    const list: NodeSource = ['SequenceConstruct', ['z', 'flipped'], ['list']]
    await expectAnswers(
      model([
        ['Neg', ['z'], ['flipped']],
        list,
        ['ConcatFromSequence', ['list'], ['stacked'], { axis: 1, new_axis: 1 }],
        ['ReduceMax', ['stacked'], ['peaks'], { axes: [1], keepdims: 0 }],
        ['ConcatFromSequence', ['list'], ['wide'], { axis: 1 }],
        ['Concat', ['wide', 'peaks'], ['logits'], { axis: 1 }],
      ]),
    )
  })

  test('that something else takes are refused', () => {
    const nodes: NodeSource[] = [
      ['SequenceConstruct', ['z', 'z'], ['list']],
      ['SequenceInsert', ['list', 'z'], ['longer']],
      ['ConcatFromSequence', ['longer'], ['logits'], { axis: 1 }],
    ]
    expect(refusal(model(nodes))).toThrow('cannot use SequenceConstruct (node list): it holds a sequence')
  })

  test('whose length is computed are refused', () => {
    expect(
      refusal(
        model(
          [
            ['SplitToSequence', ['z'], ['list'], { axis: 1 }],
            ['SequenceAt', ['list', 'first'], ['logits']],
          ],
          { constants: { first } },
        ),
      ),
    ).toThrow('cannot use SplitToSequence (node list): it holds a sequence or an optional')
  })
})

describe('casts', () => {
  test('of weights keep their names', () => {
    const { parameters } = parseModel(
      modelFile(
        model(
          [
            ['Cast', ['k'], ['k32'], { to: 1 }],
            ['MatMul', ['z', 'k32'], ['logits']],
          ],
          {
            constants: { k: tensor('float64', [3, 2], Float64Array.of(1, 2, 3, 4, 5, 6)) },
          },
        ),
      ),
    )
    expect([...parameters.keys()].toSorted()).toEqual(['b', 'k', 'w'])
  })

  test('of 8 bits are weights in float32', async () => {
    const read = await expectAnswers(
      model(
        [
          ['Cast', ['stored'], ['k'], { to: 1 }],
          ['Mul', ['k', 'step'], ['scaled']],
          ['MatMul', ['z', 'scaled'], ['logits']],
        ],
        {
          constants: {
            stored: tensor('int8', [3, 2], Int8Array.of(1, -2, 3, -4, 5, 6)),
            step: floats([2], [0.5, 0.25]),
          },
        },
      ),
    )
    expect(read.parameters.map(({ name }) => name)).toContain('k')
    expect(read.model.decisions).toContain('weights are stored as int8 and train in float32')
  })

  test('of a number that stands for an absent bias leave it as it is, for any batch', async () => {
    const bytes = modelFile({
      opset: 18,
      shape: [1, 2, 3, 3],
      nodes: [
        ['Constant', [], ['zero'], { value: floats([], [0]) }],
        ['Shape', ['k'], ['channels'], { start: 0, end: 1 }],
        ['CastLike', ['zero', 'images'], ['typed']],
        ['Expand', ['typed', 'channels'], ['none']],
        ['Conv', ['images', 'k', 'none'], ['wide']],
        ['Flatten', ['wide'], ['logits']],
      ],
      constants: { k: floats([3, 2, 3, 3], uniforms(9, 54, -1, 1)) },
    })
    expect(networkOfModel(bytes).parameters.map(({ name }) => name)).toEqual(['k'])
  })

  test('to the type of another tensor pass gradients on, and are computed of constants', async () => {
    const { parameters } = await expectAnswers(
      model(
        [
          ['CastLike', ['six', 'z'], ['most']],
          ['Clip', ['z', '', 'most'], ['clipped']],
          ['CastLike', ['clipped', 'images'], ['logits']],
        ],
        { constants: { six: scalar(6) } },
      ),
    )
    expect(parameters).toHaveLength(2)
  })
})
