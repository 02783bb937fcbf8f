/** ResNet-18 for small images: 3x3 stem without pooling, four stages of two basic blocks (https://arxiv.org/abs/1512.03385). */
import { z } from 'zod'
import { batchNorm, conv, globalAveragePool, linear, normalize } from '../layers.ts'
import { defineModel } from '../model.ts'
import { basicBlock, stage } from '../residual.ts'

export const resnet18 = defineModel({
  title: 'ResNet-18 (CIFAR stem)',
  paper: {
    title: 'Deep Residual Learning for Image Recognition (He et al., CVPR 2016)',
    url: 'https://arxiv.org/abs/1512.03385',
  },
  params: z.strictObject({
    width: z.int().min(1).max(512).default(64).describe('Channels of the first stage; each later stage doubles them.'),
  }),
  build(scope, x, { classes, normalization }, { width }) {
    const stem = conv(scope, 'conv1', normalize(scope, x, normalization), { out: width, kernel: 3, padding: 1 })
    let features = scope.ops.Relu(batchNorm(scope, 'bn1', stem))
    for (const [index, stride] of [1, 2, 2, 2].entries()) {
      const out = width * 2 ** index
      features = stage(scope, `layer${index + 1}`, features, { block: basicBlock, blocks: 2, out, stride })
    }
    return linear(scope, 'fc', globalAveragePool(scope, features), classes)
  },
})
