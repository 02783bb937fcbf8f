/** Where images enter an exported model and where its logits leave: layouts, types, several outputs, heads. */

import proto from 'onnx-proto'
import { describe, expect, test } from 'vitest'
import { networkOfModel } from '../../runner/engine/nn/exported.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { floats, int64s, numbersOf, type Tensor, tensor } from '../../runner/engine/onnx/tensor.ts'
import type { ReadOptions } from '../../runner/engine/reading/file-model.ts'
import { goldenBytes } from '../runner/golden.ts'
import { readModel } from '../support/exported-graph.ts'
import { type ModelSource, modelFile, modelMessage, type NodeSource, types } from '../support/onnx-file.ts'
import { uniforms } from './uniform.ts'

const BATCH = 2
const w = floats([12, 4], uniforms(6, 48, -1, 1))
const linear: NodeSource[] = [
  ['Flatten', ['images'], ['flat']],
  ['MatMul', ['flat', 'w'], ['z']],
]
const file = (nodes: readonly NodeSource[], constants: Record<string, Tensor> = {}, more: Partial<ModelSource> = {}) =>
  modelFile({ opset: 17, shape: ['n', 3, 2, 2], nodes: [...linear, ...nodes], ...more, constants: { w, ...constants } })

/** Logits of a model for pixels in [0, 1], as the engine has them. */
async function logitsOf(bytes: Uint8Array, pixels: Tensor, options: ReadOptions = {}): Promise<number[]> {
  const { graph, parameters } = readModel(bytes, { batchSize: pixels.shape[0]!, ...options })
  const session = await openSession(graph)
  const values = [...parameters].map(([{ name }, content]) => [name, content] as const)
  const { logits } = await session.run({ ...Object.fromEntries(values), x: pixels })
  await session.release()
  return numbersOf(logits!)
}

async function ofFile(bytes: Uint8Array, images: Tensor, output = 'logits'): Promise<number[]> {
  const session = await openSession(bytes)
  const outputs = await session.run({ images })
  await session.release()
  return numbersOf(outputs[output]!)
}

function expectClose(found: number[], expected: number[]) {
  expect(found.length).toBe(expected.length)
  for (const [i, entry] of found.entries()) expect(entry).toBeCloseTo(expected[i]!, 5)
}

/** Pixels that are bytes over 255. [2, 3, 2, 2] */
const bytes = Uint8Array.from(uniforms(5, BATCH * 12, 0, 256))
const pixels = floats(
  [BATCH, 3, 2, 2],
  Float32Array.from(bytes, (byte) => byte / 255),
)
const decisionsOf = (bytes: Uint8Array, options?: ReadOptions) => networkOfModel(bytes, options).model.decisions

describe('images', () => {
  /** [n, c, h, w] -> [n, h, w, c] */
  const lastOf = ({ data }: Tensor) =>
    floats(
      [BATCH, 2, 2, 3],
      Float32Array.from({ length: data.length }, (_, i) => {
        const [n, at, c] = [Math.floor(i / 12), Math.floor((i % 12) / 3), i % 3]
        return Number(data[n * 12 + c * 4 + at])
      }),
    )

  test('with their channels last are transposed on the way in', async () => {
    const model = file([['Identity', ['z'], ['logits']]], {}, { shape: ['n', 2, 2, 3] })
    expect(networkOfModel(model).inputShape).toEqual([3, 2, 2])
    expectClose(await logitsOf(model, pixels), await ofFile(model, lastOf(pixels)))
    expect(decisionsOf(model)).toEqual([
      'input images has its channels last, [2,2,3]: images are transposed on the way in',
    ])
  })

  test('that the file takes to channels first had them last, however many', async () => {
    const model = modelFile({
      opset: 17,
      shape: ['n', 3, 2, 2],
      nodes: [
        ['Transpose', ['images'], ['t'], { perm: [0, 3, 1, 2] }],
        ['Flatten', ['t'], ['flat']],
        ['MatMul', ['flat', 'w'], ['logits']],
      ],
      constants: { w },
    })
    expect(networkOfModel(model).inputShape).toEqual([2, 3, 2])
    expect(decisionsOf(model)[0]).toContain('images has its channels last')
  })

  test('as bytes are given as pixels from 0 to 255', async () => {
    const model = modelFile({
      opset: 17,
      shape: ['n', 3, 2, 2],
      imageType: types.uint8,
      nodes: [
        ['Cast', ['images'], ['f'], { to: 1 }],
        ['Flatten', ['f'], ['flat']],
        ['MatMul', ['flat', 'w'], ['logits']],
      ],
      constants: {
        w: floats(
          [12, 4],
          Float32Array.from(numbersOf(w), (entry) => entry / 255),
        ),
      },
    })
    expectClose(await logitsOf(model, pixels), await ofFile(model, tensor('uint8', [BATCH, 3, 2, 2], bytes)))
    expect(decisionsOf(model)).toContain('input images takes uint8: it is given pixels from 0 to 255')
  })

  test('of any height and width have those that are asked for', async () => {
    const model = file(
      [
        ['GlobalAveragePool', ['images'], ['p']],
        ['Flatten', ['p'], ['c']],
        ['MatMul', ['c', 'v'], ['logits']],
      ],
      { v: floats([3, 4], uniforms(8, 12)) },
      { shape: ['n', 3, 'h', 'w'] },
    )
    expect(() => networkOfModel(model)).toThrow(
      'axis 2 of input images is dynamic; fix every axis but the batch on export, or give the shape of an example: --shape 3x224x224',
    )
    expect(networkOfModel(model, { shape: [3, 2, 2] }).inputShape).toEqual([3, 2, 2])
    expectClose(await logitsOf(model, pixels, { shape: [3, 2, 2] }), await ofFile(model, pixels))
    expect(() => networkOfModel(model, { shape: [1, 2, 2] })).toThrow(
      'input images takes examples of [3,any,any], got the shape [1,2,2]',
    )
  })

  test('beside another input that the logits need are refused', () => {
    const message = modelMessage({
      opset: 17,
      shape: ['n', 3, 2, 2],
      nodes: [...linear, ['Add', ['z', 'more'], ['logits']]],
      constants: { w },
    })
    const [images] = message.graph!.input!
    message.graph!.input!.push({ ...images!, name: 'more' })
    const model = proto.onnx.ModelProto.encode(message).finish()
    expect(() => networkOfModel(model)).toThrow('expected one input, the images; the logits need 2: images, more')
  })

  test('beside an input that the logits do not need are all there is', () => {
    const message = modelMessage({
      opset: 17,
      shape: ['n', 3, 2, 2],
      nodes: [...linear, ['Identity', ['z'], ['logits']]],
      constants: { w },
    })
    const [images] = message.graph!.input!
    message.graph!.input!.unshift({ ...images!, name: 'labels' })
    expect(decisionsOf(proto.onnx.ModelProto.encode(message).finish())).toEqual([
      "the logits don't need input labels, left out",
    ])
  })
})

describe('outputs', () => {
  const withOutputs = (
    nodes: readonly NodeSource[],
    outputs: readonly string[],
    constants: Record<string, Tensor> = {},
  ) => {
    const message = modelMessage({
      opset: 17,
      shape: ['n', 3, 2, 2],
      nodes: [...linear, ...nodes],
      constants: { w, ...constants },
    })
    message.graph!.output = outputs.map((name) => ({ name })) as never
    return proto.onnx.ModelProto.encode(message).finish()
  }
  const two = withOutputs(
    [
      ['Neg', ['z'], ['aux']],
      ['Identity', ['z'], ['main']],
    ],
    ['main', 'aux'],
  )

  test('that may both be the logits are refused until one is named', async () => {
    expect(() => networkOfModel(two)).toThrow(
      'the model has 2 outputs that may be the logits: main (float32 [2,4]), aux (float32 [2,4]); name one with --output NAME',
    )
    expectClose(await logitsOf(two, pixels, { output: 'aux' }), await ofFile(two, pixels, 'aux'))
    expect(decisionsOf(two, { output: 'aux' })[0]).toBe('the logits are read from aux, as asked')
  })

  test('may be any tensor that the model computes', async () => {
    const model = file([['Sigmoid', ['z'], ['logits']]])
    expectClose(
      await logitsOf(model, pixels, { output: 'z' }),
      (await ofFile(model, pixels)).map((p) => Math.log(p / (1 - p))),
    )
  })

  test('with a wrong name name those near it', () => {
    expect(() => networkOfModel(two, { output: 'axu' })).toThrow(
      'expected the name of an output or of another tensor that the model computes, got axu; its outputs are main, aux, and near that name are',
    )
  })

  test('without logits are refused with their shapes', () => {
    const model = withOutputs(
      [
        ['ArgMax', ['z'], ['label'], { axis: 1 }],
        ['ReduceSum', ['z', 'one'], ['sum']],
      ],
      ['label', 'sum'],
      { one: int64s([1], [1]) },
    )
    expect(() => networkOfModel(model)).toThrow(
      'expected an output of shape [batch, classes], the logits; the model has label (int64 [2,1]), sum (float32 [2,1]); name one with --output NAME',
    )
  })
})

describe('logits', () => {
  const softmaxes: Record<string, [nodes: NodeSource[], constants?: Record<string, Tensor>]> = {
    Softmax: [[['Softmax', ['z'], ['logits']]]],
    LogSoftmax: [[['LogSoftmax', ['z'], ['logits'], { axis: 1 }]]],
    'Softmax and Log': [
      [
        ['Softmax', ['z'], ['p']],
        ['Log', ['p'], ['logits']],
      ],
    ],
    'Softmax of maps, flattened': [
      [
        ['Unsqueeze', ['z', 'maps'], ['m']],
        ['Softmax', ['m'], ['p'], { axis: 1 }],
        ['Flatten', ['p'], ['logits']],
      ],
      { maps: int64s([2], [2, 3]) },
    ],
    'Softmax in parts': [
      [
        ['ReduceMax', ['z'], ['most'], { axes: [1] }],
        ['Sub', ['z', 'most'], ['s']],
        ['Exp', ['s'], ['e']],
        ['ReduceSum', ['e', 'one'], ['sum']],
        ['Div', ['e', 'sum'], ['logits']],
      ],
      { one: int64s([1], [1]) },
    ],
    'Softmax, clipped off 0': [
      [
        ['Softmax', ['z'], ['p']],
        ['Clip', ['p', 'low', 'high'], ['logits']],
      ],
      { low: floats([], [1e-7]), high: floats([], [1]) },
    ],
  }
  test.each(Object.entries(softmaxes))('are taken before %s', async (_, [nodes, constants]) => {
    const model = file(nodes, constants)
    const plain = file([['Identity', ['z'], ['logits']]])
    expectClose(await logitsOf(model, pixels), await ofFile(plain, pixels))
    expect(decisionsOf(model).join('\n')).toMatch(
      /the logits are taken before (Log)?(Softmax|Div|Log)? ?\(node \w+\), from \w+/,
    )
  })

  test('are not taken before a softmax inside', async () => {
    const model = file([
      ['Softmax', ['z'], ['p']],
      ['Mul', ['p', 'z'], ['logits']],
    ])
    expectClose(await logitsOf(model, pixels), await ofFile(model, pixels))
    expect(decisionsOf(model)).toEqual([])
  })

  test('of one place on a map become a row', async () => {
    const model = file(
      [
        ['Conv', ['images', 'k'], ['c']],
        ['GlobalAveragePool', ['c'], ['logits']],
      ],
      { k: floats([4, 3, 1, 1], uniforms(7, 12)) },
    )
    expectClose(await logitsOf(model, pixels), await ofFile(model, pixels))
    expect(decisionsOf(model)).toContain('the logits are [batch,4,1,1] in the file and become [batch, 4]')
  })

  const refused: Record<string, [nodes: NodeSource[], says: string, constants?: Record<string, Tensor>]> = {
    'one logit': [
      [['ReduceSum', ['z', 'one'], ['logits']]],
      'the model gives one number for an image, as binary classifiers do; expected two logits or more, one a class',
      { one: int64s([1], [1]) },
    ],
    'one probability': [
      [
        ['ReduceSum', ['z', 'one'], ['s']],
        ['Sigmoid', ['s'], ['logits']],
      ],
      'cannot use Sigmoid (node logits): it ends the model with one probability, as binary classifiers do',
      { one: int64s([1], [1]) },
    ],
    'labels of their own': [
      [['Sigmoid', ['z'], ['logits']]],
      'cannot use Sigmoid (node logits): it ends the model, so that each of 4 outputs is a label of its own, and no image has one class; to take them for logits of classes all the same, name the tensor before it: --output z',
    ],
    'the index of a class': [
      [['ArgMax', ['z'], ['logits'], { axis: 1 }]],
      'cannot use ArgMax (node logits): it ends the model and gives no logits; name the tensor before it: --output z',
    ],
    'the largest logits': [
      [['TopK', ['z', 'two'], ['logits', 'indices']]],
      'cannot use TopK (node logits): it ends the model and gives no logits; name the tensor before it: --output z',
      { two: int64s([1], [2]) },
    ],
    'a map of classes': [
      [['Identity', ['images'], ['logits']]],
      'the model gives [2,3,2,2] for 2 examples; expected [2, classes] logits; name the tensor that has them: --output NAME',
    ],
  }
  test.each(Object.entries(refused))('that are %s are refused', (_, [nodes, says, constants]) => {
    expect(() => networkOfModel(file(nodes, constants))).toThrow(says)
  })
})

describe('what the logits do not need', () => {
  test('needs no rule, and its weights are no parameters', () => {
    const model = file(
      [
        ['Identity', ['z'], ['logits']],
        ['MatMul', ['z', 'aux.weight'], ['a']],
        ['MaxRoiPool', ['a'], ['b'], {}, 'com.example'],
      ],
      { 'aux.weight': floats([4, 4], uniforms(3, 16)) },
    )
    expect(networkOfModel(model).parameters.map(({ name }) => name)).toEqual(['w'])
    expect(decisionsOf(model)).toEqual(["the logits don't need 2 nodes and the tensor aux.weight, left out"])
  })
})

test('one logit of a file is refused in a sentence', () => {
  expect(() => networkOfModel(goldenBytes('exported/cases/binary-one-logit.onnx'))).toThrow(
    'expected two logits or more',
  )
})
