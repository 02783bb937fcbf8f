/** VGG-16 with batch norm (https://arxiv.org/abs/1409.1556) for small images, as in SalUn's code: convolutions without bias, four
 *  halvings, means over 2x2 areas at the end, two narrow hidden layers and no dropout. */
import { z } from 'zod'
import {
  adaptiveAveragePool,
  batchNorm,
  conv,
  flatten,
  halve,
  linear,
  normalize,
  normalOf,
  zerosInit,
} from '../layers.ts'
import { defineModel } from '../model.ts'

/** Widths of the convolutions over that of the first; the map is halved between blocks. */
const BLOCKS = [
  [1, 1],
  [2, 2],
  [4, 4, 4],
  [8, 8, 8],
  [8, 8, 8],
]
const dense = { init: normalOf(0.01), biasInit: zerosInit }

export const vgg16Bn = defineModel({
  title: 'VGG-16 with batch norm (for small images)',
  paper: {
    title: 'Very Deep Convolutional Networks for Large-Scale Image Recognition (Simonyan and Zisserman, ICLR 2015)',
    url: 'https://arxiv.org/abs/1409.1556',
  },
  params: z.strictObject({
    width: z
      .int()
      .min(1)
      .max(512)
      .default(64)
      .describe('Channels of the first block; later ones have 2, 4, 8 and 8 times as many.'),
    hidden: z.int().min(1).max(8192).default(256).describe('Units of each of the two hidden layers before the logits.'),
  }),
  build(scope, x, { classes, normalization }, { width, hidden }) {
    const { ops } = scope
    let features = normalize(scope, x, normalization)
    // Layers are numbered as in PyTorch's Sequential, where a ReLU and a halving count as well.
    let index = 0
    for (const [block, factors] of BLOCKS.entries()) {
      if (block > 0) {
        features = halve(scope, features)
        index += 1
      }
      for (const factor of factors) {
        const wide = conv(scope, `features.${index}`, features, { out: factor * width, kernel: 3, padding: 1 })
        features = ops.Relu(batchNorm(scope, `features.${index + 1}`, wide))
        index += 3
      }
    }
    features = flatten(scope, adaptiveAveragePool(scope, features, 2))
    for (const layer of [0, 2]) features = ops.Relu(linear(scope, `classifier.${layer}`, features, hidden, dense))
    return linear(scope, 'classifier.4', features, classes, dense)
  },
})
