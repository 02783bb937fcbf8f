/** Pooling: cases of their gradients. */
import { any, apart, type Case, node, unary } from './case.ts'

export const pooling: Record<string, Case[]> = {
  MaxPool: [
    ['blocks', [apart(2, 2, 4, 4)], node('MaxPool', { kernel_shape: [2, 2], strides: [2, 2] })],
    [
      'overlapping windows',
      [apart(1, 2, 6, 6)],
      node('MaxPool', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
    ],
    ['dilations', [apart(1, 1, 7, 7)], node('MaxPool', { kernel_shape: [2, 2], dilations: [3, 2] })],
    ['ceil_mode', [apart(1, 2, 5, 5)], node('MaxPool', { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 })],
    ['gaps', [apart(1, 1, 7, 7)], node('MaxPool', { kernel_shape: [2, 2], strides: [3, 3] })],
    ['one dimension', [apart(2, 3, 8)], node('MaxPool', { kernel_shape: [3], strides: [2] })],
    ...['SAME_UPPER', 'SAME_LOWER', 'VALID'].map(
      (auto_pad): Case => [
        auto_pad,
        [apart(1, 1, 5, 5)],
        node('MaxPool', { kernel_shape: [2, 2], strides: [2, 2], auto_pad }),
      ],
    ),
    [
      'ceil_mode with pads',
      [apart(1, 1, 6, 7)],
      node('MaxPool', { kernel_shape: [3, 3], strides: [3, 2], pads: [1, 1, 1, 1], ceil_mode: 1 }),
    ],
    ['column-major indices', [apart(1, 2, 4, 5)], node('MaxPool', { kernel_shape: [2, 2], storage_order: 1 })],
    ['three dimensions', [apart(1, 2, 4, 4, 4)], node('MaxPool', { kernel_shape: [2, 2, 2], strides: [2, 1, 2] })],
  ],
  AveragePool: [
    ['blocks', [any(2, 2, 4, 4)], node('AveragePool', { kernel_shape: [2, 2], strides: [2, 2] })],
    ['blocks and a rest', [any(2, 2, 5, 7)], node('AveragePool', { kernel_shape: [2, 3], strides: [2, 3] })],
    [
      'overlapping windows',
      [any(1, 2, 6, 6)],
      node('AveragePool', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
    ],
    [
      'pads counted',
      [any(1, 2, 6, 6)],
      node('AveragePool', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 }),
    ],
    [
      'asymmetric pads',
      [any(1, 2, 6, 6)],
      node('AveragePool', { kernel_shape: [3, 3], strides: [2, 2], pads: [0, 0, 1, 1] }),
    ],
    ['ceil_mode', [any(1, 2, 5, 5)], node('AveragePool', { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 })],
    [
      'ceil_mode with pads',
      [any(1, 2, 6, 6)],
      node('AveragePool', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1 }),
    ],
    ['dilations', [any(1, 2, 6, 6)], node('AveragePool', { kernel_shape: [2, 2], dilations: [2, 3] })],
    [
      'ceil_mode with counted pads',
      [any(1, 2, 6, 7)],
      node('AveragePool', {
        kernel_shape: [3, 3],
        strides: [3, 2],
        pads: [1, 1, 1, 1],
        ceil_mode: 1,
        count_include_pad: 1,
      }),
    ],
    [
      'ceil_mode beyond the input, counted',
      [any(1, 1, 6)],
      node('AveragePool', { kernel_shape: [3], strides: [2], ceil_mode: 1, count_include_pad: 1 }),
    ],
    [
      'ceil_mode, dilations and counted pads',
      [any(1, 2, 6)],
      node('AveragePool', {
        kernel_shape: [3],
        strides: [2],
        dilations: [2],
        pads: [1, 1],
        ceil_mode: 1,
        count_include_pad: 1,
      }),
    ],
    ...['SAME_UPPER', 'SAME_LOWER', 'VALID'].flatMap((auto_pad): Case[] =>
      [0, 1].map((count_include_pad) => [
        `${auto_pad}${count_include_pad ? ', pads counted' : ''}`,
        [any(1, 2, 6, 5)],
        node('AveragePool', { kernel_shape: [3, 2], strides: [2, 2], auto_pad, count_include_pad }),
      ]),
    ),
    ['three dimensions', [any(1, 2, 4, 4, 4)], node('AveragePool', { kernel_shape: [2, 3, 2], strides: [1, 2, 2] })],
    ['gaps', [any(1, 1, 7, 7)], node('AveragePool', { kernel_shape: [2, 2], strides: [3, 3] })],
    ['one dimension', [any(2, 3, 8)], node('AveragePool', { kernel_shape: [3], strides: [2] })],
  ],
  LpPool: [
    ['', [apart(1, 2, 6, 6)], node('LpPool', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] })],
    ['p 1', [apart(1, 2, 6)], node('LpPool', { kernel_shape: [2], p: 1 })],
    ['p 3, ceil_mode', [apart(1, 2, 5)], node('LpPool', { kernel_shape: [2], strides: [2], p: 3, ceil_mode: 1 })],
    ['dilations', [apart(1, 1, 7, 7)], node('LpPool', { kernel_shape: [2, 2], dilations: [3, 2] })],
    ['blocks', [apart(1, 2, 4, 4)], node('LpPool', { kernel_shape: [2, 2], strides: [2, 2] })],
  ],
  GlobalLpPool: [
    ['', [apart(2, 3, 4, 2)], node('GlobalLpPool')],
    ['p 1', [apart(2, 3, 4)], node('GlobalLpPool', { p: 1 })],
    ['p 3', [apart(2, 3, 4)], node('GlobalLpPool', { p: 3 })],
  ],
  GlobalAveragePool: unary('GlobalAveragePool', any(2, 3, 4, 2)),
  GlobalMaxPool: unary('GlobalMaxPool', apart(2, 3, 4, 2)),
}
