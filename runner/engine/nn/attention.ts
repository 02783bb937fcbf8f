/** What transformers are made of: patches, self-attention, and the two linear maps after it. Names and initial values are those of
 *  timm and torchvision. */
import type { Value } from '../onnx/graph.ts'
import { conv, gelu, linear, normalOf, uniformFanIn, zerosInit } from './layers.ts'
import type { Scope } from './variables.ts'

/** How linear maps begin; PyTorch cuts this normal distribution at +-2, which is 100 deviations away. */
export const dense = { init: normalOf(0.02), biasInit: zerosInit }

/** Cuts images into patches and maps each to `width` numbers: [n, c, h, w] -> [n, h / patch, w / patch, width] */
export function embedPatches(
  scope: Scope,
  name: string,
  x: Value,
  { patch, width: out }: { patch: number; width: number },
): Value {
  const [, channels, height, width] = x.shape as [number, number, number, number]
  if (height % patch !== 0 || width % patch !== 0)
    throw new Error(
      `patch: images of ${height}x${width} do not divide into patches of ${patch}x${patch}; choose a size that divides both`,
    )
  const init = uniformFanIn(channels * patch * patch)
  const map = conv(scope, name, x, { out, kernel: patch, stride: patch, bias: true, init })
  return scope.ops.Transpose(map, [0, 2, 3, 1])
}

export interface AttentionOptions {
  heads: number
  /** What the scores [n, heads, from, to] become before the softmax. */
  adjust?: (scores: Value) => Value
}

/** Self-attention among the tokens of each row (https://arxiv.org/abs/1706.03762): [n, tokens, width] -> the same */
export function selfAttention(
  scope: Scope,
  name: string,
  x: Value,
  { heads, adjust = (scores) => scores }: AttentionOptions,
): Value {
  const { ops } = scope
  const [n, tokens, width] = x.shape as [number, number, number]
  if (width % heads !== 0)
    throw new Error(`heads: ${name} has ${width} channels, which do not divide into ${heads} heads`)
  const size = width / heads
  const parts = ops.Split(linear(scope, `${name}.qkv`, x, 3 * width, dense), [width, width, width], 2)
  const [q, k, v] = parts.map((part) => ops.Reshape(part, [n, tokens, heads, size])) as [Value, Value, Value]
  const queries = ops.Transpose(ops.Mul(q, size ** -0.5), [0, 2, 1, 3])
  const scores = adjust(ops.MatMul(queries, ops.Transpose(k, [0, 2, 3, 1])))
  const seen = ops.MatMul(ops.Softmax(scores, { axis: 3 }), ops.Transpose(v, [0, 2, 1, 3])) // [n, heads, tokens, size]
  const together = ops.Reshape(ops.Transpose(seen, [0, 2, 1, 3]), x.shape)
  return linear(scope, `${name}.proj`, together, width, dense)
}

/** Two linear maps by their names, with GELU between: into `hidden` units and back. */
export function perceptron(scope: Scope, [into, back]: readonly [string, string], x: Value, hidden: number): Value {
  return linear(scope, back, gelu(scope, linear(scope, into, x, hidden, dense)), x.shape.at(-1)!, dense)
}
