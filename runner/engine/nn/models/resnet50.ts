/** ResNet-50 for small images: 3x3 stem without pooling, stages of 3, 4, 6 and 3 bottlenecks (https://arxiv.org/abs/1512.03385). */
import { z } from 'zod'
import { batchNorm, conv, globalAveragePool, linear, normalize } from '../layers.ts'
import { defineModel } from '../model.ts'
import { bottleneck, stage } from '../residual.ts'

const STAGES = [
  { blocks: 3, stride: 1 },
  { blocks: 4, stride: 2 },
  { blocks: 6, stride: 2 },
  { blocks: 3, stride: 2 },
]

export const resnet50 = defineModel({
  title: 'ResNet-50 (CIFAR stem)',
  paper: {
    title: 'Deep Residual Learning for Image Recognition (He et al., CVPR 2016)',
    url: 'https://arxiv.org/abs/1512.03385',
  },
  params: z.strictObject({
    width: z
      .int()
      .min(1)
      .max(512)
      .default(64)
      .describe('Channels of the stem and inside the bottlenecks of the first stage, which gives four times as many.'),
  }),
  build(scope, x, { classes, normalization }, { width }) {
    const stem = conv(scope, 'conv1', normalize(scope, x, normalization), { out: width, kernel: 3, padding: 1 })
    let features = scope.ops.Relu(batchNorm(scope, 'bn1', stem))
    for (const [index, { blocks, stride }] of STAGES.entries()) {
      const out = 4 * width * 2 ** index
      features = stage(scope, `layer${index + 1}`, features, { block: bottleneck, blocks, out, stride })
    }
    return linear(scope, 'fc', globalAveragePool(scope, features), classes)
  },
})
