/** Resize: cases of its gradient, in every mode. */

import { float } from '../../../runner/engine/onnx/graph.ts'
import type { AttributeInput } from '../../../runner/engine/onnx/ops.ts'
import { floats } from '../../../runner/engine/onnx/tensor.ts'
import type { Build } from '../gradient-check.ts'
import { any, type Case } from './case.ts'

type Attributes = Record<string, AttributeInput>
const byScales =
  (scales: readonly number[], attributes: Attributes = {}): Build =>
  (ops, x) =>
    ops.emit('Resize', [x!, null, ops.constant(floats([scales.length], scales))], attributes)
const bySizes =
  (sizes: readonly number[], attributes: Attributes = {}): Build =>
  (ops, x) =>
    ops.emit('Resize', [x!, null, null, ops.list(sizes)], attributes)
const byRegion =
  (region: readonly number[], sizes: readonly number[], mode: string): Build =>
  (ops, x) =>
    ops.emit('Resize', [x!, ops.constant(floats([region.length], region)), null, ops.list(sizes)], {
      mode,
      coordinate_transformation_mode: 'tf_crop_and_resize',
      extrapolation_value: float(7),
    })

const transforms = ['half_pixel', 'pytorch_half_pixel', 'half_pixel_symmetric', 'align_corners', 'asymmetric']
const roundings = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil']
/** Larger and smaller, by factors that leave a rest. */
const SIZES = [1, 2, 7, 3]
const SCALES = [1, 1, 1.6, 0.6]

export const resize: Record<string, Case[]> = {
  Resize: [
    [
      'nearest, blocks',
      [any(1, 2, 3, 2)],
      byScales([1, 1, 2, 3], { coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' }),
    ],
    ['nearest, sizes', [any(1, 2, 3, 2)], bySizes([1, 2, 12, 6])],
    ...[...transforms, 'tf_half_pixel_for_nn'].flatMap((coordinate_transformation_mode) =>
      roundings.map(
        (nearest_mode): Case => [
          `nearest, ${coordinate_transformation_mode}, ${nearest_mode}`,
          [any(1, 2, 4, 5)],
          byScales(SCALES, { coordinate_transformation_mode, nearest_mode }),
        ],
      ),
    ),
    ...['linear', 'cubic'].flatMap((mode) =>
      transforms.flatMap((coordinate_transformation_mode): Case[] => {
        const attributes = { mode, coordinate_transformation_mode }
        return [
          [`${mode}, ${coordinate_transformation_mode}`, [any(1, 2, 4, 5)], bySizes(SIZES, attributes)],
          [`${mode}, ${coordinate_transformation_mode}, scales`, [any(1, 2, 4, 5)], byScales(SCALES, attributes)],
          [`${mode}, ${coordinate_transformation_mode}, to one`, [any(1, 2, 4, 5)], bySizes([1, 2, 1, 6], attributes)],
          [
            `${mode}, ${coordinate_transformation_mode}, antialias`,
            [any(1, 2, 7, 9)],
            bySizes([1, 2, 3, 4], { ...attributes, antialias: 1 }),
          ],
        ]
      }),
    ),
    ['cubic, other coefficient', [any(1, 2, 4, 5)], bySizes(SIZES, { mode: 'cubic', cubic_coeff_a: -0.5 })],
    ['cubic without outside', [any(1, 2, 4, 5)], bySizes(SIZES, { mode: 'cubic', exclude_outside: 1 })],
    [
      'antialias without outside',
      [any(1, 2, 7, 9)],
      bySizes([1, 2, 3, 4], { mode: 'cubic', exclude_outside: 1, antialias: 1 }),
    ],
    ['antialias, larger', [any(1, 2, 3, 4)], bySizes([1, 2, 5, 3], { mode: 'linear', antialias: 1 })],
    ['linear, one axis', [any(1, 2, 4, 5)], byScales([2], { mode: 'linear', axes: { kind: 'ints', value: [-1] } })],
    ['axes by sizes', [any(1, 2, 4, 5)], bySizes([3, 8], { mode: 'linear', axes: [3, 2] })],
    ...['not_larger', 'not_smaller'].flatMap((keep_aspect_ratio_policy): Case[] => [
      [
        keep_aspect_ratio_policy,
        [any(1, 2, 4, 6)],
        bySizes([7, 7], { mode: 'linear', axes: [2, 3], keep_aspect_ratio_policy }),
      ],
      [
        `${keep_aspect_ratio_policy}, nearest`,
        [any(1, 2, 4, 6)],
        bySizes([7, 7], { axes: [2, 3], keep_aspect_ratio_policy }),
      ],
    ]),
    ...['nearest', 'linear', 'cubic'].flatMap((mode): Case[] => [
      [`${mode}, a region`, [any(1, 1, 5, 6)], byRegion([0, 0, 0.3, 0.2, 1, 1, 0.8, 0.9], [1, 1, 4, 3], mode)],
      [`${mode}, beyond the input`, [any(1, 1, 5, 6)], byRegion([0, 0, -0.4, 0.2, 1, 1, 0.8, 1.7], [1, 1, 4, 5], mode)],
      [`${mode}, a region to one`, [any(1, 1, 5, 6)], byRegion([0, 0, 0.1, 0.2, 1, 1, 0.8, 0.9], [1, 1, 1, 3], mode)],
    ]),
    ['linear, three dimensions', [any(1, 2, 3, 2, 3)], bySizes([1, 2, 5, 4, 2], { mode: 'linear' })],
    ['linear, one dimension', [any(1, 2, 5)], bySizes([1, 2, 8], { mode: 'linear' })],
    ['scales that keep the extents', [any(1, 2, 3, 4)], byScales([1, 1, 1.1, 1.2], { mode: 'linear' })],
    [
      'a scale that keeps one extent, antialias',
      [any(1, 2, 3, 4)],
      byScales([1, 1, 1.1, 0.5], { mode: 'linear', antialias: 1 }),
    ],
    ['a scale that keeps one extent', [any(1, 2, 3, 4)], byScales([1, 1, 1.1, 0.5], { mode: 'linear' })],
    ['a scale that rounds up to an entry', [any(1, 1, 10)], byScales([1, 1, 0.7])],
  ],
}
