/** Layers: functions that declare their variables in a scope and add nodes. Names and defaults follow PyTorch's. */
import { batchNormTraining } from '../autodiff/gradients/batch-normalization.ts'
import { groupNormTraining } from '../autodiff/gradients/group-normalization.ts'
import type { Value } from '../onnx/graph.ts'
import type { Ops } from '../onnx/ops.ts'
import { type Shape, sizeOf, tensor } from '../onnx/tensor.ts'
import type { Initializer, Scope } from './variables.ts'

export const filled =
  (value: number): Initializer =>
  (_, shape) =>
    new Float32Array(sizeOf(shape)).fill(value)
export const zerosInit = filled(0)
export const onesInit = filled(1)

/** Normal with mean 0. */
export const normalOf =
  (deviation: number): Initializer =>
  (random, shape) =>
    Float32Array.from({ length: sizeOf(shape) }, () => random.normal() * deviation)

/** Standard normal, PyTorch's default for embeddings. */
export const normalInit = normalOf(1)

/** Normal with variance 2 / fan-out (He et al. 2015, https://arxiv.org/abs/1502.01852); shape [o, i, ...kernel]. */
export const kaimingNormalFanOut: Initializer = (random, shape) =>
  normalOf(Math.sqrt(2 / (shape[0]! * sizeOf(shape.slice(2)))))(random, shape)

/** The same with variance 2 / fan-in; shape [o, i, ...kernel]. */
export const kaimingNormalFanIn: Initializer = (random, shape) =>
  normalOf(Math.sqrt(2 / sizeOf(shape.slice(1))))(random, shape)

/** Uniform in +-1 / sqrt(fanIn), PyTorch's default for Linear. */
export const uniformFanIn =
  (fanIn: number): Initializer =>
  (random, shape) => {
    const bound = 1 / Math.sqrt(fanIn)
    return Float32Array.from({ length: sizeOf(shape) }, () => (2 * random.uniform() - 1) * bound)
  }

/** (x - mean) / std per channel, with pixels in [0, 1]: the first layer, so that a model takes images as they are. */
export const normalize = ({ ops }: Scope, x: Value, { mean, std }: Normalization): Value =>
  normalizePixels(ops, x, { mean, std })

interface Normalization {
  mean: number[]
  std: number[]
}

/** The same outside of a model. */
export function normalizePixels(ops: Ops, x: Value, { mean, std }: Normalization): Value {
  const perChannel = (values: number[]) =>
    ops.constant(tensor('float32', [values.length, 1, 1], Float32Array.from(values)))
  return ops.Div(ops.Sub(x, perChannel(mean)), perChannel(std))
}

export interface ConvOptions {
  out: number
  kernel: number
  stride?: number
  /** On every side, or [top, left, bottom, right]. */
  padding?: number | readonly [number, number, number, number]
  bias?: boolean
  init?: Initializer
}

/** [n, i, h, w] -> [n, out, h', w'] */
export function conv(
  scope: Scope,
  name: string,
  x: Value,
  { out, kernel, stride = 1, padding = 0, bias = false, init = kaimingNormalFanOut }: ConvOptions,
): Value {
  const channels = x.shape[1]!
  const weight = scope.parameter(`${name}.weight`, [out, channels, kernel, kernel], init)
  const offset = bias ? scope.parameter(`${name}.bias`, [out], uniformFanIn(channels * kernel * kernel)) : null
  return scope.ops.Conv(x, weight, offset, {
    kernel_shape: [kernel, kernel],
    strides: [stride, stride],
    pads: typeof padding === 'number' ? Array<number>(4).fill(padding) : padding,
  })
}

export interface LinearOptions {
  bias?: boolean
  init?: Initializer
  biasInit?: Initializer
}

/** [..., i] -> [..., out] */
export function linear(
  scope: Scope,
  name: string,
  x: Value,
  out: number,
  { bias = true, init, biasInit }: LinearOptions = {},
): Value {
  const { ops } = scope
  const front = x.shape.slice(0, -1)
  const size = x.shape.at(-1)!
  const weight = scope.parameter(`${name}.weight`, [out, size], init ?? uniformFanIn(size))
  const offset = bias ? scope.parameter(`${name}.bias`, [out], biasInit ?? uniformFanIn(size)) : null
  // One product over all rows, whatever they are arranged in.
  const rows = ops.Reshape(x, [sizeOf(front), size])
  return ops.Reshape(ops.Gemm(rows, weight, offset, { transB: 1 }), [...front, out])
}

/** Batch normalization (https://arxiv.org/abs/1502.03167). */
export function batchNorm(scope: Scope, name: string, x: Value, { epsilon = 1e-5, momentum = 0.1 } = {}): Value {
  const shape: Shape = [x.shape[1]!]
  const scale = scope.parameter(`${name}.weight`, shape, onesInit)
  const bias = scope.parameter(`${name}.bias`, shape, zerosInit)
  const mean = scope.buffer(`${name}.running_mean`, shape, zerosInit)
  const variance = scope.buffer(`${name}.running_var`, shape, onesInit)
  if (!scope.training) return scope.ops.emit('BatchNormalization', [x, scale, bias, mean, variance], { epsilon })[0]!
  const next = batchNormStep(scope.ops, { x, scale, bias, mean, variance }, { epsilon, momentum })
  scope.update(`${name}.running_mean`, next.mean)
  scope.update(`${name}.running_var`, next.variance)
  return next.y
}

/** Batch normalization in training: running statistics move by `momentum` towards those of the batch, with the unbiased
 *  variance, as PyTorch's do. */
export function batchNormStep(
  ops: Ops,
  { x, scale, bias, mean, variance }: Record<'x' | 'scale' | 'bias' | 'mean' | 'variance', Value>,
  { epsilon, momentum }: { epsilon: number; momentum: number },
): { y: Value; mean: Value; variance: Value } {
  const [y, batchMean, batchVariance] = batchNormTraining(ops, x, scale, bias, epsilon)
  const count = sizeOf(x.shape) / x.shape[1]!
  const towards = (old: Value, now: Value, factor: number) =>
    ops.Add(ops.Mul(old, 1 - momentum), ops.Mul(now, momentum * factor))
  const unbias = count > 1 ? count / (count - 1) : 1
  return { y, mean: towards(mean, batchMean, 1), variance: towards(variance, batchVariance, unbias) }
}

/** [n, c, h, w] -> [n, c] */
export function globalAveragePool({ ops }: Scope, x: Value): Value {
  return ops.Reshape(ops.GlobalAveragePool(x), x.shape.slice(0, 2))
}

/** The largest of each 2x2 block; a last row or column that has no partner is left out. */
export function halve({ ops }: Scope, x: Value): Value {
  const [height, width] = x.shape.slice(2) as [number, number]
  if (height < 2 || width < 2) throw new Error(`a map of ${height}x${width} can't be halved; the images are too small`)
  return ops.emit('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] })[0]
}

/** Means over size x size areas that cover the map and overlap where they don't divide it, as PyTorch's AdaptiveAvgPool2d cuts
 *  them: [n, c, h, w] -> [n, c, size, size] */
export function adaptiveAveragePool({ ops }: Scope, x: Value, size: number): Value {
  /** Row i has the weights of area i. */
  const areas = (extent: number): Float32Array => {
    const weights = new Float32Array(size * extent)
    for (let i = 0; i < size; i++) {
      const [begin, end] = [Math.floor((i * extent) / size), Math.ceil(((i + 1) * extent) / size)]
      weights.fill(1 / (end - begin), i * extent + begin, i * extent + end)
    }
    return weights
  }
  const [height, width] = x.shape.slice(2) as [number, number]
  const rows = ops.constant(tensor('float32', [size, height], areas(height)))
  const columns = ops.Transpose(ops.constant(tensor('float32', [size, width], areas(width))), [1, 0])
  const means = height === size ? x : ops.MatMul(rows, x)
  return width === size ? means : ops.MatMul(means, columns)
}

/** [n, ...] -> [n, product of the rest] */
export const flatten = ({ ops }: Scope, x: Value): Value => ops.Reshape(x, [x.shape[0]!, sizeOf(x.shape.slice(1))])

/** Layer normalization (https://arxiv.org/abs/1607.06450) over the last axis. */
export function layerNorm(scope: Scope, name: string, x: Value, { epsilon = 1e-5 } = {}): Value {
  const shape: Shape = [x.shape.at(-1)!]
  const scale = scope.parameter(`${name}.weight`, shape, onesInit)
  const bias = scope.parameter(`${name}.bias`, shape, zerosInit)
  return scope.ops.emit('LayerNormalization', [x, scale, bias], { axis: -1, epsilon })[0]
}

/** Group normalization (https://arxiv.org/abs/1803.08494): statistics over each group of channels of each example. */
export function groupNorm(
  scope: Scope,
  name: string,
  x: Value,
  { groups, epsilon = 1e-5 }: { groups: number; epsilon?: number },
): Value {
  const channels = x.shape[1]!
  if (channels % groups !== 0) throw new Error(`${name}: ${channels} channels do not divide into ${groups} groups`)
  const scale = scope.parameter(`${name}.weight`, [channels], onesInit)
  const bias = scope.parameter(`${name}.bias`, [channels], zerosInit)
  return groupNormTraining(scope.ops, x, scale, bias, { groups, epsilon })
}

/** x * Phi(x), with the distribution function of the normal distribution (https://arxiv.org/abs/1606.08415). */
export const gelu = ({ ops }: Scope, x: Value): Value => ops.emit('Gelu', [x])[0]

/** x * sigmoid(x) */
export const swish = ({ ops }: Scope, x: Value): Value => ops.Mul(x, ops.Sigmoid(x))

/** Zeroes a share of the entries in training and scales the others up, so that their mean stays (inverted dropout). */
export function dropout({ ops, training, uniforms }: Scope, x: Value, rate: number): Value {
  if (!training || rate === 0) return x
  if (!uniforms) throw new Error('dropout needs random numbers in training; give the forward pass keys')
  return ops.Where(ops.Less(uniforms(x.shape), rate), 0, ops.Mul(x, 1 / (1 - rate)))
}

/** Sines and cosines of t at frequencies from 1 down to 1/10,000, in DDPM's spacing: [n] int64 -> [n, size] */
export function timeEmbedding({ ops }: Scope, t: Value, size: number): Value {
  const half = size / 2
  const frequencies = Float32Array.from({ length: half }, (_, i) => 10_000 ** (-i / (half - 1)))
  const angles = ops.Mul(
    ops.Reshape(ops.Cast(t, 'float32'), [t.shape[0]!, 1]),
    ops.constant(tensor('float32', [1, half], frequencies)),
  )
  return ops.Concat([ops.Sin(angles), ops.Cos(angles)], 1)
}
