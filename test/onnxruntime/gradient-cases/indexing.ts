/** Ops that pick entries, or write them, by index: cases of their gradients. */
import type { Input } from '../gradient-check.ts'
import { any, apart, type Case, indices } from './case.ts'

/** The same entries a little further on, so that they tie with none of another input. */
const shifted = (by: number, { shape, data }: Input): Input => ({ shape, data: data.map((entry) => entry + by) })

export const indexing: Record<string, Case[]> = {
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
  GatherND: [
    ['', [any(3, 4, 2)], (ops, x) => ops.emit('GatherND', [x!, indices(ops, [3, 2], [0, 1, 2, 3, 0, 1])])],
    [
      'one batch axis',
      [any(2, 3, 4)],
      (ops, x) => ops.emit('GatherND', [x!, indices(ops, [2, 3, 1], [0, 2, 0, 1, -1, 1])], { batch_dims: 1 }),
    ],
    [
      'two batch axes',
      [any(2, 2, 3, 2)],
      (ops, x) => ops.emit('GatherND', [x!, indices(ops, [2, 2, 1], [0, 2, 1, 1])], { batch_dims: 2 }),
    ],
  ],
  ScatterElements: [
    ...['mul', 'max', 'min'].map(
      (reduction): Case => [
        reduction,
        [apart(3, 4), shifted(0.02, apart(2, 4))],
        (ops, x, u) => ops.ScatterElements(x!, indices(ops, [2, 4], [0, 1, 2, 0, 0, 2, 2, 0]), u!, 0, reduction),
      ],
    ),
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
    ...['mul', 'max', 'min'].map(
      (reduction): Case => [
        reduction,
        [apart(4, 3), shifted(0.02, apart(3, 3))],
        (ops, x, u) => ops.emit('ScatterND', [x!, indices(ops, [3, 1], [3, 1, 3]), u!], { reduction }),
      ],
    ),
    ['', [any(4, 3), any(2, 3)], (ops, x, u) => ops.emit('ScatterND', [x!, indices(ops, [2, 1], [3, 1]), u!])],
    [
      'add',
      [any(4, 3), any(3, 3)],
      (ops, x, u) => ops.emit('ScatterND', [x!, indices(ops, [3, 1], [3, 1, 3]), u!], { reduction: 'add' }),
    ],
  ],
}
