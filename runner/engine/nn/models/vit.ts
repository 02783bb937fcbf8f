/** The vision transformer (https://arxiv.org/abs/2010.11929) on small patches, with timm's names and initial values: learned
 *  positions, norms before attention and perceptron, and a class token or the mean of all tokens at the end. */
import { z } from 'zod'
import type { Value } from '../../onnx/graph.ts'
import { dense, embedPatches, perceptron, selfAttention } from '../attention.ts'
import { layerNorm, linear, normalize, normalOf } from '../layers.ts'
import { defineModel } from '../model.ts'
import type { Scope } from '../network.ts'

const EPSILON = 1e-6

interface Block {
  heads: number
  hidden: number
}

function block(scope: Scope, name: string, x: Value, { heads, hidden }: Block): Value {
  const { ops } = scope
  const norm = (part: string, x: Value) => layerNorm(scope, `${name}.${part}`, x, { epsilon: EPSILON })
  const seen = ops.Add(x, selfAttention(scope, `${name}.attn`, norm('norm1', x), { heads }))
  return ops.Add(seen, perceptron(scope, [`${name}.mlp.fc1`, `${name}.mlp.fc2`], norm('norm2', seen), hidden))
}

export const vit = defineModel({
  title: 'Vision transformer (small patches)',
  paper: {
    title: 'An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale (Dosovitskiy et al., ICLR 2021)',
    url: 'https://arxiv.org/abs/2010.11929',
  },
  params: z.strictObject({
    patch: z
      .int()
      .min(1)
      .max(64)
      .default(4)
      .describe('Height and width of a patch; it must divide those of the images.'),
    width: z.int().min(1).max(2048).default(192).describe('Numbers of a token.'),
    depth: z.int().min(1).max(64).default(12).describe('Blocks of attention and perceptron.'),
    heads: z.int().min(1).max(64).default(3).describe('Heads of each attention; they must divide `width`.'),
    expansion: z.int().min(1).max(16).default(4).describe("Units of each perceptron's hidden layer over `width`."),
    pool: z
      .enum(['token', 'avg'])
      .default('token')
      .describe('What the classifier sees: a class token that attends with the others, or the mean of all tokens.'),
  }),
  build(scope, x, { classes, normalization }, { patch, width, depth, heads, expansion, pool }) {
    const { ops } = scope
    const n = x.shape[0]!
    const map = embedPatches(scope, 'patch_embed.proj', normalize(scope, x, normalization), { patch, width })
    const patches = ops.Reshape(map, [n, map.shape[1]! * map.shape[2]!, width])
    const token = pool === 'token' ? [scope.parameter('cls_token', [1, 1, width], normalOf(1e-6))] : []
    const tokens = ops.Concat([...token.map((own) => ops.Expand(own, [n, 1, width])), patches], 1)
    let features = ops.Add(tokens, scope.parameter('pos_embed', [1, tokens.shape[1]!, width], normalOf(0.02)))
    for (let i = 0; i < depth; i++)
      features = block(scope, `blocks.${i}`, features, { heads, hidden: expansion * width })
    // A norm looks at one token at a time, so that only the class token needs the last one.
    const last =
      pool === 'token'
        ? layerNorm(scope, 'norm', ops.Reshape(ops.Slice(features, [0], [1], [1]), [n, width]), { epsilon: EPSILON })
        : layerNorm(scope, 'fc_norm', ops.ReduceMean(features, [1], 0), { epsilon: EPSILON })
    return linear(scope, 'head', last, classes, dense)
  },
})
