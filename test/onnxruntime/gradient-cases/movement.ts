/** Ops that move entries: cases of their gradients. */
import { floats } from '../../../runner/engine/onnx/tensor.ts'
import { any, apart, type Case, flag, indices, listed, node } from './case.ts'

export const movement: Record<string, Case[]> = {
  Reshape: [
    ['', [any(2, 6)], listed('Reshape', [[3, -1]])],
    ['copied extent', [any(2, 6)], listed('Reshape', [[0, 2, 3]])],
  ],
  Flatten: [
    ['', [any(2, 3, 2)], node('Flatten')],
    ['axis', [any(2, 3, 2)], node('Flatten', { axis: -1 })],
  ],
  Squeeze: [
    ['axes', [any(1, 3, 1)], listed('Squeeze', [[0]])],
    ['all', [any(1, 3, 1)], node('Squeeze')],
  ],
  Unsqueeze: [['', [any(3, 2)], listed('Unsqueeze', [[0, -1]])]],
  Expand: [
    ['', [any(3, 1)], listed('Expand', [[2, 1, 4]])],
    ['scalar', [any()], listed('Expand', [[2, 3]])],
  ],
  Transpose: [
    ['reversed', [any(2, 3, 4)], node('Transpose')],
    ['permuted', [any(2, 3, 4)], node('Transpose', { perm: [1, 2, 0] })],
  ],
  Concat: [
    ['', [any(2, 3), any(2, 1), any(2, 2)], node('Concat', { axis: 1 })],
    ['negative axis', [any(2, 3), any(4, 3)], node('Concat', { axis: -2 })],
    ['one', [any(2, 3)], node('Concat', { axis: 0 })],
  ],
  Split: [
    ['lengths', [any(5, 2)], listed('Split', [[2, 3]], {}, 2)],
    ['even parts', [any(2, 6)], node('Split', { axis: 1, num_outputs: 3 }, 3)],
    ['uneven parts', [any(5, 2)], node('Split', { num_outputs: 2 }, 2)],
    ['one part used', [any(5, 2)], (ops, x) => ops.Split(x!, [2, 3], 0)[1]!],
  ],
  Slice: [
    [
      '',
      [any(5, 4)],
      listed('Slice', [
        [1, 0],
        [4, 3],
      ]),
    ],
    ['axes, from the end', [any(3, 6)], listed('Slice', [[-4], [-1], [1]])],
    ['steps', [any(3, 8)], listed('Slice', [[1], [100], [1], [3]])],
    ['steps that end early', [any(9)], listed('Slice', [[0], [6], [0], [2]])],
    ['backwards', [any(5, 2)], listed('Slice', [[-1], [-100], [0], [-1]])],
    ['backwards by two', [any(2, 7)], listed('Slice', [[5], [0], [1], [-2]])],
  ],
  Gather: [
    ['rows', [any(4, 3)], (ops, x) => ops.Gather(x!, indices(ops, [2, 3], [0, 2, 0, 3, -1, 0]))],
    ['middle axis', [any(2, 4, 3)], (ops, x) => ops.Gather(x!, indices(ops, [2, 2], [1, 3, 1, 0]), 1)],
    ['one slice', [any(2, 4, 3)], (ops, x) => ops.Gather(x!, indices(ops, [], [-1]), 1)],
    ['one slice, kept axis', [any(2, 4, 3)], (ops, x) => ops.Gather(x!, indices(ops, [1], [2]), -1)],
  ],
  GatherElements: [
    ['labels', [any(4, 3)], (ops, x) => ops.GatherElements(x!, indices(ops, [4, 1], [2, 0, 1, 2]), 1)],
    ['repeated', [any(2, 4)], (ops, x) => ops.GatherElements(x!, indices(ops, [2, 3], [0, 0, -1, 2, 1, 2]), -1)],
    ['fewer rows', [any(4, 3)], (ops, x) => ops.GatherElements(x!, indices(ops, [2, 2], [0, 3, 3, 3]), 0)],
  ],
  TopK: [
    ['values', [apart(3, 5)], (ops, x) => ops.TopK(x!, 2, 1)[0]!],
    [
      'smallest, first axis',
      [apart(4, 2)],
      (ops, x) => ops.emit('TopK', [x!, ops.list([3])], { axis: 0, largest: 0 }, { outputs: 2 })[0]!,
    ],
  ],
  GatherND: [['', [any(3, 4, 2)], (ops, x) => ops.emit('GatherND', [x!, indices(ops, [3, 2], [0, 1, 2, 3, 0, 1])])]],
  ScatterElements: [
    [
      '',
      [any(3, 4), any(3, 2)],
      (ops, x, u) => ops.ScatterElements(x!, indices(ops, [3, 2], [0, 1, 3, 0, 2, -1]), u!, 1),
    ],
    [
      'add',
      [any(3, 4), any(2, 4)],
      (ops, x, u) => ops.ScatterElements(x!, indices(ops, [2, 4], [0, 1, 2, 0, 0, 2, 2, 1]), u!, 0, 'add'),
    ],
  ],
  ScatterND: [
    ['', [any(4, 3), any(2, 3)], (ops, x, u) => ops.emit('ScatterND', [x!, indices(ops, [2, 1], [3, 1]), u!])],
    [
      'add',
      [any(4, 3), any(3, 3)],
      (ops, x, u) => ops.emit('ScatterND', [x!, indices(ops, [3, 1], [3, 1, 3]), u!], { reduction: 'add' }),
    ],
  ],
  Pad: [
    ['', [any(2, 3)], listed('Pad', [[0, 1, 2, 0]])],
    ['value', [any(2, 3)], (ops, x) => ops.emit('Pad', [x!, ops.list([1, 1, 0, 2]), ops.scalar(x!.type, 3)])],
    ['cropping', [any(4, 5)], listed('Pad', [[-1, 2, 1, -3]])],
    ['axes', [any(2, 3, 2)], (ops, x) => ops.emit('Pad', [x!, ops.list([1, 2]), null, ops.list([-2])])],
    ['a learned value', [any(2, 3), any()], (ops, x, v) => ops.emit('Pad', [x!, ops.list([1, -1, 0, 2]), v!])],
    ...['reflect', 'edge', 'wrap'].flatMap((mode): Case[] => [
      [
        `${mode}, an axis`,
        [any(2, 3, 4)],
        (ops, x) => ops.emit('Pad', [x!, ops.list([2, 1]), null, ops.list([-1])], { mode }),
      ],
      [`${mode}, cropping`, [any(4, 5)], listed('Pad', [[-1, 2, 2, -1]], { mode })],
    ]),
    ['reflect', [any(2, 3, 4)], listed('Pad', [[0, 2, 1, 0, 1, 3]], { mode: 'reflect' })],
    ['edge', [any(3, 4)], listed('Pad', [[2, 1, 0, 2]], { mode: 'edge' })],
    ['wrap', [any(3, 4)], listed('Pad', [[2, 1, 0, 2]], { mode: 'wrap' })],
  ],
  Tile: [['', [any(2, 3)], listed('Tile', [[2, 3]])]],
  Resize: [
    [
      'asymmetric',
      [any(1, 2, 3, 2)],
      (ops, x) =>
        ops.emit('Resize', [x!, null, ops.constant(floats([4], [1, 1, 2, 3]))], {
          coordinate_transformation_mode: 'asymmetric',
          nearest_mode: 'floor',
        }),
    ],
    ['half pixel, sizes', [any(1, 2, 3, 2)], (ops, x) => ops.emit('Resize', [x!, null, null, ops.list([1, 2, 12, 6])])],
  ],
  Dropout: [
    ['at inference', [any(2, 3)], node('Dropout')],
    [
      'at inference, with a ratio',
      [any(2, 3)],
      (ops, x) => ops.emit('Dropout', [x!, ops.scalar('float32', 0.3), flag(ops, [], [0])]),
    ],
  ],
}
