/** The residual networks that He et al. made for CIFAR-10: three stages of basic blocks, shortcuts without parameters
 *  (https://arxiv.org/abs/1512.03385, section 4.2), with the initial values of SalUn's code. */
import { z } from 'zod'
import { batchNorm, conv, globalAveragePool, kaimingNormalFanIn as init, linear, normalize } from '../layers.ts'
import { defineModel } from '../model.ts'
import { basicBlock, padded, stage } from '../residual.ts'

export const resnet20 = defineModel({
  title: 'ResNet-20 (of CIFAR)',
  paper: {
    title: 'Deep Residual Learning for Image Recognition (He et al., CVPR 2016)',
    url: 'https://arxiv.org/abs/1512.03385',
  },
  params: z.strictObject({
    width: z.int().min(1).max(512).default(16).describe('Channels of the first stage; each later stage doubles them.'),
    blocks: z
      .int()
      .min(1)
      .max(200)
      .default(3)
      .describe(
        'Blocks of each stage, n in the paper, for 6n + 2 layers: 5 gives ResNet-32, 7 ResNet-44, 9 ResNet-56.',
      ),
  }),
  build(scope, x, { classes, normalization }, { width, blocks }) {
    const stem = conv(scope, 'conv1', normalize(scope, x, normalization), { out: width, kernel: 3, padding: 1, init })
    let features = scope.ops.Relu(batchNorm(scope, 'bn1', stem))
    for (const [index, stride] of [1, 2, 2].entries()) {
      const options = { block: basicBlock, blocks, out: width * 2 ** index, stride, shortcut: padded, init }
      features = stage(scope, `layer${index + 1}`, features, options)
    }
    return linear(scope, 'fc', globalAveragePool(scope, features), classes, { init })
  },
})
