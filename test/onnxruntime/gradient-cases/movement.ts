import { any, type Case, flag, listed, node } from './case.ts'

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
  Dropout: [
    ['at inference', [any(2, 3)], node('Dropout')],
    [
      'at inference, with a ratio',
      [any(2, 3)],
      (ops, x) => ops.emit('Dropout', [x!, ops.scalar('float32', 0.3), flag(ops, [], [0])]),
    ],
  ],
}
