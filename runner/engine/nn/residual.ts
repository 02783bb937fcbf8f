/** What residual networks are made of (https://arxiv.org/abs/1512.03385): blocks, and shortcuts past them where the shape changes. */
import type { Value } from '../onnx/graph.ts'
import { batchNorm, type ConvOptions, conv, kaimingNormalFanOut } from './layers.ts'
import type { Initializer, Scope } from './variables.ts'

export interface BlockOptions {
  out: number
  stride: number
  /** How x gets the shape of the residual. */
  shortcut?: Shortcut
  init?: Initializer
}

type Shortcut = (scope: Scope, name: string, x: Value, shape: Pick<BlockOptions, 'out' | 'stride'>) => Value

/** A 1x1 convolution: option B of the paper. */
export const projected: Shortcut = (scope, name, x, { out, stride }) => {
  const thin = conv(scope, `${name}.downsample.0`, x, { out, kernel: 1, stride })
  return batchNorm(scope, `${name}.downsample.1`, thin)
}

/** Every second row and column, with channels of zeros before and after, and no parameters: option A of the paper. */
export const padded: Shortcut = ({ ops }, _, x, { out, stride }) => {
  const [, channels, height, width] = x.shape as [number, number, number, number]
  const fewer = stride === 1 ? x : ops.Slice(x, [0, 0], [height, width], [2, 3], [stride, stride])
  const before = Math.floor((out - channels) / 2)
  return ops.Pad(fewer, [0, before, 0, 0, 0, out - channels - before, 0, 0])
}

/** Convolutions with batch norm one after another, and a shortcut past them. */
function residual(
  scope: Scope,
  name: string,
  x: Value,
  layers: readonly ConvOptions[],
  { out, stride, shortcut = projected, init = kaimingNormalFanOut }: BlockOptions,
): Value {
  const { ops } = scope
  let features = x
  for (const [i, options] of layers.entries()) {
    const seen = i === 0 ? x : ops.Relu(features)
    features = batchNorm(scope, `${name}.bn${i + 1}`, conv(scope, `${name}.conv${i + 1}`, seen, { ...options, init }))
  }
  const past = stride === 1 && x.shape[1] === out ? x : shortcut(scope, name, x, { out, stride })
  return ops.Relu(ops.Add(features, past))
}

/** Two 3x3 convolutions. */
export function basicBlock(scope: Scope, name: string, x: Value, options: BlockOptions): Value {
  const { out, stride } = options
  const layers = [
    { out, kernel: 3, stride, padding: 1 },
    { out, kernel: 3, padding: 1 },
  ]
  return residual(scope, name, x, layers, options)
}

/** 1x1, 3x3 and 1x1 convolutions, the first two a quarter as wide; the 3x3 one has the stride, as in PyTorch. */
export function bottleneck(scope: Scope, name: string, x: Value, options: BlockOptions): Value {
  const { out, stride } = options
  const layers = [
    { out: out / 4, kernel: 1 },
    { out: out / 4, kernel: 3, stride, padding: 1 },
    { out, kernel: 1 },
  ]
  return residual(scope, name, x, layers, options)
}

/** Blocks of equal width, of which the first has the stride. */
export function stage(
  scope: Scope,
  name: string,
  x: Value,
  { blocks, block, stride, ...options }: BlockOptions & { blocks: number; block: typeof basicBlock },
): Value {
  let features = x
  for (let i = 0; i < blocks; i++)
    features = block(scope, `${name}.${i}`, features, { ...options, stride: i === 0 ? stride : 1 })
  return features
}
