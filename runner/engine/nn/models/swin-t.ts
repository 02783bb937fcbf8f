/** Swin (https://arxiv.org/abs/2103.14030) for small images, with torchvision's names and initial values: attention in windows that
 *  every second block moves, learned relative positions, stages that halve the map and double the channels. Without stochastic
 *  depth, as in the code of Unlearn-WorstCase, whose patches of 2 and windows of 4 are the defaults here. */
import { z } from 'zod'
import type { Value } from '../../onnx/graph.ts'
import { dense, embedPatches, perceptron, selfAttention } from '../attention.ts'
import { layerNorm, linear, normalize } from '../layers.ts'
import { defineModel } from '../model.ts'
import type { Scope } from '../network.ts'
import { inWindows, positionBias, relativePositions } from '../shifted-windows.ts'

interface Block {
  window: number
  shifted: boolean
  heads: number
  /** See relativePositions. */
  positions: Value
}

/** [n, h, w, c] -> the same */
function block(scope: Scope, name: string, x: Value, { window, shifted, heads, positions }: Block): Value {
  const { ops } = scope
  const normal = layerNorm(scope, `${name}.norm1`, x)
  const seen = inWindows(scope, normal, { window, shifted }, (windows, mask) => {
    const adjust = (scores: Value) => {
      const placed = ops.Add(scores, positionBias(scope, `${name}.attn`, positions, { window, heads }))
      if (!mask) return placed
      // [n * windows, ...] -> [n, windows, ...], to meet the mask
      const count = mask.shape[0]!
      const apart = ops.Reshape(placed, [scores.shape[0]! / count, count, ...scores.shape.slice(1)])
      return ops.Reshape(ops.Add(apart, mask), scores.shape)
    }
    return selfAttention(scope, `${name}.attn`, windows, { heads, adjust })
  })
  const next = ops.Add(x, seen)
  const hidden = 4 * x.shape[3]!
  const inner = perceptron(scope, [`${name}.mlp.0`, `${name}.mlp.3`], layerNorm(scope, `${name}.norm2`, next), hidden)
  return ops.Add(next, inner)
}

/** Puts each 2x2 block of points into one of twice the channels: [n, h, w, c] -> [n, h / 2, w / 2, 2 c]; an odd map gets a row or
 *  column of zeros. */
function mergePatches(scope: Scope, name: string, x: Value): Value {
  const { ops } = scope
  const [n, height, width, c] = x.shape as [number, number, number, number]
  const [rows, columns] = [Math.ceil(height / 2), Math.ceil(width / 2)]
  const even = ops.Pad(x, [0, 0, 0, 0, 0, 2 * rows - height, 2 * columns - width, 0])
  // Down before right, as in torchvision: the block's points lie in the order of its columns.
  const blocks = ops.Transpose(ops.Reshape(even, [n, rows, 2, columns, 2, c]), [0, 1, 3, 4, 2, 5])
  const normal = layerNorm(scope, `${name}.norm`, ops.Reshape(blocks, [n, rows, columns, 4 * c]))
  return linear(scope, `${name}.reduction`, normal, 2 * c, { ...dense, bias: false })
}

const list = (fallback: number[]) => z.array(z.int().min(1).max(64)).min(1).max(6).default(fallback)

export const swinT = defineModel({
  title: 'Swin transformer (for small images)',
  paper: {
    title: 'Swin Transformer: Hierarchical Vision Transformer using Shifted Windows (Liu et al., ICCV 2021)',
    url: 'https://arxiv.org/abs/2103.14030',
  },
  params: z
    .strictObject({
      patch: z
        .int()
        .min(1)
        .max(64)
        .default(2)
        .describe('Height and width of a patch; it must divide those of the images.'),
      window: z.int().min(1).max(16).default(4).describe('Height and width of a window, in patches.'),
      width: z
        .int()
        .min(1)
        .max(1024)
        .default(96)
        .describe('Channels of the first stage; each later stage doubles them.'),
      depths: list([2, 2, 6, 2]).describe('Blocks of each stage; every second one moves its windows.'),
      heads: list([3, 6, 12, 24]).describe('Heads of each stage; they must divide its channels.'),
    })
    .refine(({ depths, heads }) => depths.length === heads.length, {
      error: ({ input }) => {
        const { depths, heads } = input as { depths: number[]; heads: number[] }
        return `expected one number of heads for each of ${depths.length} depths, got ${heads.length}`
      },
      path: ['heads'],
    }),
  build(scope, x, { classes, normalization }, { patch, window, width, depths, heads }) {
    const { ops } = scope
    const positions = relativePositions(ops, window)
    const map = embedPatches(scope, 'features.0.0', normalize(scope, x, normalization), { patch, width })
    let features = layerNorm(scope, 'features.0.2', map)
    for (const [stage, depth] of depths.entries()) {
      if (stage > 0) features = mergePatches(scope, `features.${2 * stage}`, features)
      for (let i = 0; i < depth; i++) {
        const options = { window, shifted: i % 2 === 1, heads: heads[stage]!, positions }
        features = block(scope, `features.${2 * stage + 1}.${i}`, features, options)
      }
    }
    const means = ops.ReduceMean(layerNorm(scope, 'norm', features), [1, 2], 0)
    return linear(scope, 'head', means, classes, dense)
  },
})
