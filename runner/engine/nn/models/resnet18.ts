/** ResNet-18 for small images: 3x3 stem without pooling, four stages of two basic blocks (https://arxiv.org/abs/1512.03385). */
import { z } from 'zod'
import type { Value } from '../../onnx/graph.ts'
import { batchNorm, conv, globalAveragePool, linear, normalize } from '../layers.ts'
import { defineModel } from '../model.ts'
import type { Scope } from '../network.ts'

/** Two 3x3 convolutions and a shortcut, which is a 1x1 convolution where the shape changes. */
function basicBlock(scope: Scope, name: string, x: Value, out: number, stride: number): Value {
  const { ops } = scope
  const first = conv(scope, `${name}.conv1`, x, { out, kernel: 3, stride, padding: 1 })
  const middle = ops.Relu(batchNorm(scope, `${name}.bn1`, first))
  const second = conv(scope, `${name}.conv2`, middle, { out, kernel: 3, padding: 1 })
  const residual = batchNorm(scope, `${name}.bn2`, second)
  if (stride === 1 && x.shape[1] === out) return ops.Relu(ops.Add(residual, x))
  const projected = conv(scope, `${name}.downsample.0`, x, { out, kernel: 1, stride })
  return ops.Relu(ops.Add(residual, batchNorm(scope, `${name}.downsample.1`, projected)))
}

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
    for (const [stage, stride] of [1, 2, 2, 2].entries()) {
      const out = width * 2 ** stage
      features = basicBlock(scope, `layer${stage + 1}.0`, features, out, stride)
      features = basicBlock(scope, `layer${stage + 1}.1`, features, out, 1)
    }
    return linear(scope, 'fc', globalAveragePool(scope, features), classes)
  },
})
