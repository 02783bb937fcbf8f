/** Models that were exported for one batch size take any: an image has the answer that the file gives, whatever is beside it. */
import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { networkOfModel } from '../../runner/engine/nn/exported.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { floats, int64s, numbersOf, type Tensor } from '../../runner/engine/onnx/tensor.ts'
import { goldenBytes } from '../runner/golden.ts'
import { readModel } from '../support/exported-graph.ts'
import { type ModelSource, modelFile, type NodeSource } from '../support/onnx-file.ts'
import { uniforms } from './uniform.ts'

/** Logits of images, a list for each. */
async function answers(bytes: Uint8Array, example: readonly number[], pixels: Float32Array): Promise<number[][]> {
  const size = pixels.length / example.reduce((a, b) => a * b)
  const { graph, parameters, buffers } = readModel(bytes, { batchSize: size })
  const session = await openSession(graph)
  const values = [...parameters, ...buffers].map(([{ name }, content]) => [name, content] as const)
  const { logits } = await session.run({ ...Object.fromEntries(values), x: floats([size, ...example], pixels) })
  await session.release()
  return rows(logits!)
}

const rows = (logits: Tensor) => {
  const [count = 1, classes = 1] = logits.shape
  const numbers = numbersOf(logits)
  return Array.from({ length: count }, (_, i) => numbers.slice(i * classes, (i + 1) * classes))
}

/** Answers of the file itself, for the batch that it fixes. */
async function ofFile(bytes: Uint8Array, input: string, shape: readonly number[], pixels: Float32Array) {
  const session = await openSession(bytes)
  const [logits] = Object.values(await session.run({ [input]: floats(shape, pixels) }))
  await session.release()
  return rows(logits!)
}

function expectClose(found: number[][], expected: number[][]) {
  expect(found.length).toBe(expected.length)
  for (const [i, row] of found.entries())
    for (const [k, logit] of row.entries()) expect(logit, `logit ${k} of image ${i}`).toBeCloseTo(expected[i]![k]!, 5)
}

/** An image of a batch has the answer of the file, and that which it has alone. */
async function expectAnyBatch(bytes: Uint8Array, input: string, fixed: number, example: readonly number[]) {
  const size = example.reduce((a, b) => a * b)
  const pixels = uniforms(51, 7 * size)
  const first = pixels.subarray(0, fixed * size)
  const all = await answers(bytes, example, pixels)
  expectClose(all.slice(0, fixed), await ofFile(bytes, input, [fixed, ...example], first))
  const alone = [2, 6].map((i) => answers(bytes, example, pixels.subarray(i * size, (i + 1) * size)))
  expectClose([all[2]!, all[6]!], (await Promise.all(alone)).flat())
}

const files = readdirSync(new URL('../golden/exported/fixed', import.meta.url)).filter((name) => name.endsWith('.onnx'))

test.each(files)('%s, as PyTorch exports by default', async (name) => {
  const bytes = goldenBytes(`exported/fixed/${name}`)
  const fixed = Number(/\d+/.exec(name)![0])
  await expectAnyBatch(bytes, 'x', fixed, [3, 16, 16])
  expect(networkOfModel(bytes).model.decisions[0]).toContain(`the file fixes the batch at ${fixed}`)
})

const EXAMPLE = [2, 3]
const weights = { w: floats([6, 4], uniforms(6, 24, -1, 1)), b: floats([4], [0.1, 0.2, -0.3, 0.4]) }
const linear: NodeSource[] = [
  ['Flatten', ['images'], ['flat']],
  ['Gemm', ['flat', 'w', 'b'], ['z']],
]
const fixedTo = (
  batch: number,
  nodes: readonly NodeSource[],
  constants: Record<string, Tensor> = {},
  more: Partial<ModelSource> = {},
) =>
  modelFile({
    opset: 17,
    shape: [batch, ...EXAMPLE],
    nodes: [...linear, ...nodes],
    ...more,
    constants: { ...weights, ...constants },
  })
const list = (...numbers: number[]) => int64s([numbers.length], numbers)

describe('what a file has for its batch alone', () => {
  const cases: Record<string, [batch: number, nodes: NodeSource[], constants?: Record<string, Tensor>]> = {
    'a literal batch in a Reshape': [4, [['Reshape', ['z', 'to'], ['logits']]], { to: list(4, 4) }],
    'a literal batch merged with tokens and taken apart': [
      4,
      [
        ['Reshape', ['z', 'halves'], ['h']],
        ['Tanh', ['h'], ['t']],
        ['Reshape', ['t', 'to'], ['logits']],
      ],
      { halves: list(8, 2), to: list(4, 4) },
    ],
    'the batch behind another axis': [
      4,
      [
        ['Reshape', ['z', 'parts'], ['p']],
        ['Transpose', ['p'], ['t'], { perm: [1, 0, 2] }],
        ['Reshape', ['t', 'merged'], ['m']],
        ['MatMul', ['m', 'mix'], ['n']],
        ['Reshape', ['n', 'apart'], ['a']],
        ['ReduceMean', ['a'], ['logits'], { axes: [0], keepdims: 0 }],
      ],
      { parts: list(4, 2, 2), merged: list(8, 2), apart: list(2, 4, 2), mix: floats([2, 2], [1, 2, -1, 1]) },
    ],
    'a Slice and a Resize over the whole batch': [
      4,
      [
        ['Slice', ['images', 'from', 'until'], ['s']],
        ['Reshape', ['s', 'image'], ['i']],
        [
          'Resize',
          ['i', '', '', 'sizes'],
          ['r'],
          { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
        ],
        ['ReduceMean', ['r'], ['m'], { axes: [2, 3], keepdims: 0 }],
        ['Add', ['m', 'z'], ['logits']],
      ],
      { from: list(0, 0), until: list(4, 2), image: list(4, 1, 2, 3), sizes: list(4, 1, 4, 6) },
    ],
    'a constant that repeats its row for the batch': [
      3,
      [['Add', ['z', 'rows'], ['logits']]],
      { rows: floats([3, 4], [1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4]) },
    ],
    'an Expand to the batch, behind which tokens are put together': [
      3,
      [
        ['Expand', ['token', 'to'], ['t']],
        ['Reshape', ['z', 'tokens'], ['p']],
        ['Concat', ['t', 'p'], ['c'], { axis: 1 }],
        ['ReduceSum', ['c', 'one'], ['logits'], { keepdims: 0 }],
      ],
      { token: floats([1, 1, 4], [1, 2, 3, 4]), to: list(3, 1, 4), tokens: list(3, 1, 4), one: list(1) },
    ],
    'zeros and a tile of the length of the batch': [
      3,
      [
        ['ConstantOfShape', ['to'], ['zeros']],
        ['Tile', ['token', 'times'], ['tiled']],
        ['Concat', ['zeros', 'z'], ['wide'], { axis: 1 }],
        ['Slice', ['wide', 'from', 'until', 'one'], ['back']],
        ['Add', ['back', 'tiled'], ['logits']],
      ],
      {
        ...{ to: list(3, 4), token: floats([1, 4], [1, 2, 3, 4]), times: list(3, 1) },
        ...{ from: list(4), until: list(8), one: list(1) },
      },
    ],
    'a token beside a batch of 1': [
      1,
      [
        ['Reshape', ['z', 'tokens'], ['p']],
        ['Concat', ['token', 'p'], ['c'], { axis: 1 }],
        ['ReduceSum', ['c', 'one'], ['logits'], { keepdims: 0 }],
      ],
      { token: floats([1, 1, 4], [1, 2, 3, 4]), tokens: list(1, 1, 4), one: list(1) },
    ],
    'a batch of 1 that is in the way of Squeeze': [
      1,
      [
        ['Unsqueeze', ['z', 'two'], ['u']],
        ['Squeeze', ['u', 'two'], ['logits']],
      ],
      { two: list(2) },
    ],
    'shapes computed from the images': [
      3,
      [
        ['Shape', ['images'], ['s']],
        ['Gather', ['s', 'zero'], ['n']],
        ['Concat', ['n', 'four'], ['to'], { axis: 0 }],
        ['Reshape', ['z', 'to'], ['logits']],
      ],
      { zero: list(0), four: list(4) },
    ],
  }
  test.each(Object.entries(cases))('%s', async (_, [batch, nodes, constants]) => {
    await expectAnyBatch(fixedTo(batch, nodes, constants), 'images', batch, EXAMPLE)
  })

  test('a tensor that was as long as the batch trains as one row', () => {
    const rows = floats([3, 4], [1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4])
    const { parameters } = networkOfModel(fixedTo(3, [['Add', ['z', 'token'], ['logits']]], { token: rows }))
    expect(parameters.find(({ name }) => name === 'token')!.shape).toEqual([1, 4])
  })
})

describe('a file whose examples depend on each other, or may, is refused at the node:', () => {
  const refused: Record<string, [batch: number, nodes: NodeSource[], constants: Record<string, Tensor>, says: string]> =
    {
      'a sum over the batch': [
        4,
        [
          ['ReduceMean', ['z'], ['mean'], { axes: [0], keepdims: 1 }],
          ['Sub', ['z', 'mean'], ['logits']],
        ],
        {},
        "cannot use ReduceMean (node mean): the file fixes the batch at 4, and for another this node can't be used: what it gives does not grow with the batch",
      ],
      'a softmax over the batch': [
        4,
        [
          ['Softmax', ['z'], ['p'], { axis: 0 }],
          ['Add', ['z', 'p'], ['logits']],
        ],
        {},
        "cannot use Softmax (node p): the file fixes the batch at 4, and for another this node can't be used: it mixes the examples of a batch",
      ],
      'a reshape across examples': [
        4,
        [
          ['Reshape', ['z', 'odd'], ['r']],
          ['Transpose', ['r'], ['t']],
          ['Reshape', ['t', 'to'], ['logits']],
        ],
        { odd: list(4, 2, 2), to: list(4, 4) },
        'cannot use Reshape (node logits)',
      ],
      'a tensor of its own for each example': [
        4,
        [['Add', ['z', 'table'], ['logits']]],
        { table: floats([4, 4], uniforms(3, 16)) },
        "cannot use Add (node logits): the file fixes the batch at 4, and for another this node can't be used: its input table differs between the examples of a batch",
      ],
      'a part of the batch': [
        4,
        [
          ['Slice', ['z', 'from', 'until'], ['two']],
          ['Concat', ['two', 'two'], ['logits'], { axis: 0 }],
        ],
        { from: list(0), until: list(2) },
        'it takes a part of the batch',
      ],
      'the one example, taken out': [
        1,
        [['Gather', ['z', 'zero'], ['logits'], { axis: 0 }]],
        { zero: int64s([], [0]) },
        'expected [1, classes] logits',
      ],
      'the batch of 1, squeezed': [
        1,
        [
          ['Squeeze', ['z', 'first'], ['s']],
          ['Unsqueeze', ['s', 'first'], ['logits']],
        ],
        { first: list(0) },
        'it takes the axis of the batch away',
      ],
    }
  test.each(Object.entries(refused))('%s', (_, [batch, nodes, constants, says]) => {
    const bytes = fixedTo(batch, nodes, constants)
    expect(() => networkOfModel(bytes)).toThrow(says)
    expect(() => networkOfModel(bytes)).not.toThrow('\n')
  })
})
