/** A small convolutional net with batch norm, for benchmarks that run on a CPU in minutes. */
import { z } from 'zod'
import { batchNorm, conv, flatten, linear, normalize } from '../layers.ts'
import { defineModel } from '../model.ts'

export const smallCnn = defineModel({
  title: 'Small CNN',
  paper: null,
  params: z.strictObject({
    width: z
      .int()
      .min(1)
      .max(256)
      .default(16)
      .describe('Channels of the first layer; the next two have twice as many.'),
    hidden: z.int().min(1).max(4096).default(128).describe('Units of the hidden layer before the logits.'),
  }),
  build(scope, x, { classes, normalization }, { width, hidden }) {
    const { ops } = scope
    let features = normalize(scope, x, normalization)
    for (const [index, out] of [width, 2 * width, 2 * width].entries()) {
      const stride = index < 2 ? 2 : 1 // 28 -> 14 -> 7 -> 7
      const wide = conv(scope, `conv${index + 1}`, features, { out, kernel: 3, stride, padding: 1 })
      features = ops.Relu(batchNorm(scope, `bn${index + 1}`, wide))
    }
    return linear(scope, 'fc2', ops.Relu(linear(scope, 'fc1', flatten(scope, features), hidden)), classes)
  },
})
