/** Softmax and normalisation layers: cases of their gradients. */
import { batchNormTraining } from '../../../runner/engine/autodiff/gradients/batch-normalization.ts'
import { groupNormTraining } from '../../../runner/engine/autodiff/gradients/group-normalization.ts'
import { float } from '../../../runner/engine/onnx/graph.ts'
import type { Build } from '../gradient-check.ts'
import { any, type Case, node, numbers, positive } from './case.ts'

const statistics = { epsilon: float(1e-3) }
/** GroupNormalization computes in the precision that it's told, float32 unless 11 names float64. */
const groups =
  (num_groups: number): Build =>
  (ops, x, scale, bias) =>
    ops.emit('GroupNormalization', [x!, scale!, bias!], {
      ...statistics,
      num_groups,
      stash_type: x!.type === 'float64' ? 11 : 1,
    })

export const normalization: Record<string, Case[]> = {
  Softmax: [
    ['', [any(3, 4)], node('Softmax')],
    ['axis', [any(2, 3, 4)], node('Softmax', { axis: 1 })],
  ],
  LogSoftmax: [
    ['', [any(3, 4)], node('LogSoftmax')],
    ['axis', [any(2, 3, 4)], node('LogSoftmax', { axis: -2 })],
  ],

  BatchNormalization: [
    [
      'at inference',
      [any(4, 3, 2, 2), positive(3), any(3), any(3), positive(3)],
      node('BatchNormalization', statistics),
    ],
    [
      'at inference, one dimension',
      [any(4, 3), positive(3), any(3)],
      (ops, x, s, b) =>
        ops.emit(
          'BatchNormalization',
          [x!, s!, b!, numbers(ops, x!, [3], [0.1, 0.2, -0.3]), numbers(ops, x!, [3], [1, 2, 0.5])],
          {},
        ),
    ],
    ...[
      [4, 3, 2, 2],
      [6, 3],
      [4, 3, 5],
      [2, 3, 2, 1, 2],
    ].map(
      (shape): Case => [
        `in training, rank ${shape.length}`,
        [any(...shape), positive(3), any(3)],
        (ops, x, s, b) =>
          ops.emit(
            'BatchNormalization',
            [x!, s!, b!, numbers(ops, x!, [3], [0, 0, 0]), numbers(ops, x!, [3], [1, 1, 1])],
            { ...statistics, training_mode: 1 },
            { outputs: 3 },
          )[0]!,
      ],
    ),
  ],
  LayerNormalization: [
    ['last axis', [any(2, 3, 4), positive(4), any(4)], node('LayerNormalization', statistics)],
    ['two axes', [any(3, 2, 4), positive(2, 4), any(2, 4)], node('LayerNormalization', { ...statistics, axis: 1 })],
    ['without bias', [any(3, 4), positive(4)], node('LayerNormalization', statistics)],
  ],
  GroupNormalization: [
    ['', [any(2, 6, 2, 2), positive(6), any(6)], groups(3)],
    ['one dimension', [any(2, 4, 5), positive(4), any(4)], groups(2)],
  ],
  InstanceNormalization: [
    ['', [any(2, 3, 2, 3), positive(3), any(3)], node('InstanceNormalization', statistics)],
    ['one dimension', [any(2, 3, 5), positive(3), any(3)], node('InstanceNormalization', statistics)],
    ['three dimensions', [any(2, 3, 2, 2, 2), positive(3), any(3)], node('InstanceNormalization', statistics)],
  ],
  GroupNormTraining: [
    [2, 6, 2, 3],
    [2, 6, 4],
    [2, 6, 2, 1, 2],
  ].map(
    (shape): Case => [
      `rank ${shape.length}`,
      [any(...shape), positive(6), any(6)],
      (ops, x, s, b) => groupNormTraining(ops, x!, s!, b!, { groups: 3, epsilon: 1e-3 }),
    ],
  ),
  BatchNormTraining: [
    [4, 3, 2, 2],
    [6, 3],
    [4, 3, 5],
    [2, 3, 2, 1, 2],
  ].map(
    (shape): Case => [
      `rank ${shape.length}`,
      [any(...shape), positive(3), any(3)],
      (ops, x, s, b) => batchNormTraining(ops, x!, s!, b!, 1e-3)[0],
    ],
  ),
}
