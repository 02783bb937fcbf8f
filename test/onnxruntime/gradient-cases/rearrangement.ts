/** Triangles, sequences turned about, remainders: cases of their gradients. */
import { any, between, type Case, indices, node, positive } from './case.ts'

export const rearrangement: Record<string, Case[]> = {
  Trilu: [
    ['upper', [any(3, 4)], node('Trilu')],
    ['lower, of a batch', [any(2, 3, 3)], node('Trilu', { upper: 0 })],
    ['beside the diagonal', [any(3, 4)], (ops, x) => ops.emit('Trilu', [x!, ops.scalar('int64', -1)])],
  ],
  ReverseSequence: [
    [
      'sequences of their own lengths',
      [any(4, 3)],
      (ops, x) => ops.emit('ReverseSequence', [x!, indices(ops, [3], [2, 4, 1])], { batch_axis: 1, time_axis: 0 }),
    ],
  ],
  Mod: [
    [
      'with the sign of the dividend',
      [between(2.2, 2.8)(2, 3), between(0.9, 1.1)(3)],
      (ops, a, b) => ops.emit('Mod', [ops.Neg(a!), b!], { fmod: 1 }),
    ],
    ['by a number', [positive(2, 3)], (ops, x) => ops.emit('Mod', [x!, ops.scalar(x!.type, 5)], { fmod: 1 })],
  ],
}
