/** Convolutions: cases of their gradients. */
import { any, type Case, node } from './case.ts'

export const convolution: Record<string, Case[]> = {
  Conv: [
    ['', [any(2, 3, 5, 5), any(4, 3, 3, 3), any(4)], node('Conv')],
    ['pads', [any(2, 3, 5, 5), any(4, 3, 3, 3)], node('Conv', { pads: [1, 1, 1, 1] })],
    ['large map', [any(2, 2, 12, 12), any(3, 2, 3, 3)], node('Conv', { pads: [1, 1, 1, 1] })],
    ['large map, wide output', [any(1, 2, 12, 12), any(150, 2, 1, 1)], node('Conv')],
    ['large map, uneven kernel', [any(2, 2, 14, 12), any(3, 2, 3, 2)], node('Conv', { pads: [0, 1, 2, 0] })],
    [
      'large map, dilations',
      [any(1, 2, 16, 16), any(2, 2, 3, 3)],
      node('Conv', { pads: [2, 2, 2, 2], dilations: [2, 2] }),
    ],
    ['wide map', [any(2, 2, 3, 16), any(3, 2, 3, 3)], node('Conv', { pads: [1, 1, 1, 1] })],
    ['wide map, uneven', [any(2, 2, 5, 17), any(3, 2, 2, 3)], node('Conv', { pads: [0, 1, 2, 0] })],
    ['strides', [any(2, 3, 6, 6), any(4, 3, 3, 3)], node('Conv', { pads: [1, 1, 1, 1], strides: [2, 2] })],
    ['strides that leave a rest', [any(2, 3, 8, 7), any(4, 3, 3, 3)], node('Conv', { strides: [3, 2] })],
    ['1x1 with strides', [any(2, 3, 6, 6), any(4, 3, 1, 1)], node('Conv', { strides: [2, 2] })],
    ['asymmetric pads', [any(2, 3, 5, 5), any(4, 3, 2, 2)], node('Conv', { pads: [0, 0, 1, 1] })],
    ['dilations', [any(2, 2, 8, 8), any(3, 2, 3, 3)], node('Conv', { pads: [2, 2, 2, 2], dilations: [2, 2] })],
    ['dilations and strides', [any(1, 2, 9, 9), any(3, 2, 3, 3)], node('Conv', { dilations: [2, 2], strides: [2, 3] })],
    ['groups', [any(2, 4, 5, 5), any(6, 2, 3, 3), any(6)], node('Conv', { pads: [1, 1, 1, 1], group: 2 })],
    [
      'depthwise with strides',
      [any(2, 4, 6, 6), any(4, 1, 3, 3)],
      node('Conv', { pads: [1, 1, 1, 1], group: 4, strides: [2, 2] }),
    ],
    ['groups, large map', [any(2, 4, 12, 12), any(4, 2, 3, 3)], node('Conv', { pads: [1, 1, 1, 1], group: 2 })],
    ...['SAME_UPPER', 'SAME_LOWER', 'VALID'].map(
      (auto_pad): Case => [auto_pad, [any(1, 2, 6, 5), any(3, 2, 3, 2)], node('Conv', { auto_pad, strides: [2, 2] })],
    ),
    ['pads beyond the kernel', [any(1, 2, 4, 4), any(3, 2, 2, 2)], node('Conv', { pads: [2, 2, 3, 2] })],
    ['one dimension', [any(2, 3, 8), any(4, 3, 3), any(4)], node('Conv', { pads: [1, 1], strides: [2] })],
    [
      'one dimension, groups, wide',
      [any(2, 4, 20), any(4, 2, 3)],
      node('Conv', { group: 2, dilations: [2], pads: [2, 2] }),
    ],
    ['three dimensions', [any(1, 2, 4, 4, 4), any(2, 2, 2, 2, 2)], node('Conv')],
    [
      'three dimensions, strides, groups',
      [any(1, 4, 5, 4, 5), any(4, 2, 3, 2, 3), any(4)],
      node('Conv', { strides: [2, 1, 2], pads: [1, 0, 1, 1, 1, 1], group: 2 }),
    ],
  ],
  ConvTranspose: [
    ['', [any(2, 3, 4, 4), any(3, 2, 3, 3), any(2)], node('ConvTranspose')],
    [
      'strides, pads, output padding',
      [any(2, 3, 4, 4), any(3, 2, 3, 3)],
      node('ConvTranspose', { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] }),
    ],
    ['groups', [any(2, 4, 4, 4), any(4, 2, 2, 2)], node('ConvTranspose', { group: 2, strides: [2, 2] })],
    ['dilations', [any(1, 2, 4, 4), any(2, 3, 2, 2)], node('ConvTranspose', { dilations: [2, 2] })],
    ...['SAME_UPPER', 'SAME_LOWER', 'VALID'].flatMap((auto_pad): Case[] => [
      [auto_pad, [any(1, 2, 4, 3), any(2, 3, 3, 3)], node('ConvTranspose', { auto_pad, strides: [2, 1] })],
      [
        `${auto_pad}, output padding`,
        [any(1, 2, 4), any(2, 3, 3), any(3)],
        node('ConvTranspose', { auto_pad, strides: [2], output_padding: [1] }),
      ],
      [
        `${auto_pad}, a kernel within its stride`,
        [any(1, 2, 4), any(2, 3, 2)],
        node('ConvTranspose', { auto_pad, strides: [3] }),
      ],
      [
        `${auto_pad}, output shape`,
        [any(1, 2, 4), any(2, 3, 3)],
        node('ConvTranspose', { auto_pad, strides: [2], output_shape: [8] }),
      ],
    ]),
    ...[7, 8, 9, 10].map(
      (extent): Case => [
        `output shape ${extent}`,
        [any(1, 4, 4, 3), any(4, 2, 3, 3)],
        node('ConvTranspose', { strides: [2, 2], output_shape: [extent, 7], group: 2 }),
      ],
    ),
    ['one dimension', [any(2, 3, 5), any(3, 2, 3), any(2)], node('ConvTranspose', { strides: [2], pads: [1, 1] })],
    [
      'three dimensions',
      [any(1, 2, 3, 3, 3), any(2, 2, 2, 3, 2)],
      node('ConvTranspose', { strides: [2, 1, 2], pads: [0, 1, 0, 1, 1, 0], output_padding: [1, 0, 0] }),
    ],
  ],
}
