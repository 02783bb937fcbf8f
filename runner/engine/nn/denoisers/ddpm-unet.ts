/** The U-Net of DDPM (https://arxiv.org/abs/2006.11239) with a class embedding and a learned null class for classifier-free
 *  guidance (https://arxiv.org/abs/2207.12598), as SalUn's code has it for CIFAR-10. */
import { z } from 'zod'
import type { Value } from '../../onnx/graph.ts'
import { floats } from '../../onnx/tensor.ts'
import { defineDenoiser } from '../denoiser.ts'
import { conv, dropout, groupNorm, linear, normalInit, swish, timeEmbedding, uniformFanIn } from '../layers.ts'
import type { Scope } from '../variables.ts'

const params = z.strictObject({
  channels: z.int().min(1).max(512).default(128).describe('Channels of the first level.'),
  multipliers: z
    .array(z.int().min(1).max(8))
    .min(1)
    .max(6)
    .default([1, 2, 2, 2])
    .describe('Channels of each level over those of the first; the next level has half the resolution.'),
  blocks: z
    .int()
    .min(1)
    .max(8)
    .default(2)
    .describe('Residual blocks of each level on the way down; one more on the way up.'),
  attention: z
    .array(z.int().min(1))
    .default([16])
    .describe('Heights at which self-attention follows each residual block.'),
  groups: z.int().min(1).default(32).describe('Groups of every GroupNorm.'),
  dropout: z
    .number()
    .min(0)
    .lt(1)
    .default(0.1)
    .describe('Share of features dropped before the second convolution of a residual block, in training.'),
})
type Params = z.infer<typeof params>

/** Everything a residual block needs beside its features. */
interface Context {
  scope: Scope
  /** swish(time) beside swish(class), [n, 8 * channels] */
  embedding: Value
  params: Params
}

/** A 3x3 convolution that keeps the size. */
const conv3 = (scope: Scope, name: string, x: Value, out: number) =>
  conv(scope, name, x, { out, kernel: 3, padding: 1, bias: true, init: uniformFanIn(9 * x.shape[1]!) })
const conv1 = (scope: Scope, name: string, x: Value, out: number) =>
  conv(scope, name, x, { out, kernel: 1, bias: true, init: uniformFanIn(x.shape[1]!) })

const normalized = ({ scope, params }: Context, name: string, x: Value) =>
  groupNorm(scope, name, x, { groups: params.groups, epsilon: 1e-6 })

function residualBlock(context: Context, name: string, x: Value, out: number): Value {
  const { scope, embedding, params } = context
  const { ops } = scope
  const first = conv3(scope, `${name}.conv1`, swish(scope, normalized(context, `${name}.norm1`, x)), out)
  const shift = linear(scope, `${name}.embedding`, embedding, out) // [n, out]
  const shifted = ops.Add(first, ops.Reshape(shift, [...shift.shape, 1, 1]))
  const features = dropout(scope, swish(scope, normalized(context, `${name}.norm2`, shifted)), params.dropout)
  const second = conv3(scope, `${name}.conv2`, features, out)
  return ops.Add(x.shape[1] === out ? x : conv1(scope, `${name}.shortcut`, x, out), second)
}

/** Self-attention with one head over all points of the map. */
function attentionBlock(context: Context, name: string, x: Value): Value {
  const { scope } = context
  const { ops } = scope
  const [n, c, h, w] = x.shape as [number, number, number, number]
  const normal = normalized(context, `${name}.norm`, x)
  const points = (part: string) => ops.Reshape(conv1(scope, `${name}.${part}`, normal, c), [n, c, h * w])
  const [q, k, v] = [points('query'), points('key'), points('value')]
  const scores = ops.Mul(ops.MatMul(ops.Transpose(q, [0, 2, 1]), k), c ** -0.5) // [n, from, to]
  const seen = ops.MatMul(v, ops.Transpose(ops.Softmax(scores, { axis: 2 }), [0, 2, 1]))
  return ops.Add(x, conv1(scope, `${name}.out`, ops.Reshape(seen, x.shape), c))
}

/** Halves the map: zeros after the last row and column, then a 3x3 convolution with stride 2. */
function downsample({ scope }: Context, name: string, x: Value): Value {
  const out = x.shape[1]!
  return conv(scope, name, x, {
    out,
    kernel: 3,
    stride: 2,
    padding: [0, 0, 1, 1],
    bias: true,
    init: uniformFanIn(9 * out),
  })
}

/** Doubles the map: each point becomes four, then a 3x3 convolution. */
function upsample({ scope }: Context, name: string, x: Value): Value {
  const { ops } = scope
  const factors = ops.constant(floats([4], [1, 1, 2, 2]))
  const nearest = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' }
  const [doubled] = ops.emit('Resize', [x, null, factors], nearest)
  return conv3(scope, name, doubled!, x.shape[1]!)
}

export const ddpmUnet = defineDenoiser({
  title: 'Conditional DDPM U-Net',
  paper: {
    title: 'Denoising Diffusion Probabilistic Models (Ho et al., NeurIPS 2020)',
    url: 'https://arxiv.org/abs/2006.11239',
  },
  params,
  conditions: (name) =>
    name.startsWith('class.') || name.endsWith('.embedding.weight') || name.endsWith('.embedding.bias'),
  build(scope, { x, t, labels }, { classes }, params) {
    const { ops } = scope
    const { channels, multipliers, blocks, attention } = params
    const [, depth, height] = x.shape as [number, number, number, number]

    const time = linear(scope, 'time.0', timeEmbedding(scope, t, channels), 4 * channels)
    const timeFeatures = linear(scope, 'time.1', swish(scope, time), 4 * channels)
    const known = scope.parameter('class.table', [classes, channels], normalInit)
    const none = scope.parameter('class.null', [1, channels], normalInit)
    // A product with one-hot rows: its gradient is a product too, where Gather's would scatter.
    const rows = ops.MatMul(ops.OneHot(labels, classes + 1), ops.Concat([known, none], 0))
    const kind = linear(scope, 'class.0', rows, 4 * channels)
    const classFeatures = linear(scope, 'class.1', swish(scope, kind), 4 * channels)
    const embedding = ops.Concat([swish(scope, timeFeatures), swish(scope, classFeatures)], 1)
    const context: Context = { scope, embedding, params }

    const levels = multipliers.map((multiplier, level) => ({ out: channels * multiplier, size: height / 2 ** level }))
    if (!Number.isInteger(levels.at(-1)!.size))
      throw new Error(`images of height ${height} can't be halved ${levels.length - 1} times; use fewer multipliers`)
    const block = (name: string, features: Value, { out, size }: { out: number; size: number }) => {
      const next = residualBlock(context, name, features, out)
      return attention.includes(size) ? attentionBlock(context, `${name}.attention`, next) : next
    }

    let features = conv3(scope, 'in', x, channels)
    const kept = [features]
    for (const [index, level] of levels.entries()) {
      for (let i = 0; i < blocks; i++) {
        features = block(`down.${index}.${i}`, features, level)
        kept.push(features)
      }
      if (index < levels.length - 1) {
        features = downsample(context, `down.${index}.half`, features)
        kept.push(features)
      }
    }
    const deepest = features.shape[1]!
    features = residualBlock(context, 'middle.0', features, deepest)
    features = attentionBlock(context, 'middle.attention', features)
    features = residualBlock(context, 'middle.1', features, deepest)
    for (const [index, level] of [...levels.entries()].reverse()) {
      for (let i = 0; i <= blocks; i++)
        features = block(`up.${index}.${i}`, ops.Concat([features, kept.pop()!], 1), level)
      if (index > 0) features = upsample(context, `up.${index}.double`, features)
    }
    return conv3(scope, 'out', swish(scope, normalized(context, 'out.norm', features)), depth)
  },
})
