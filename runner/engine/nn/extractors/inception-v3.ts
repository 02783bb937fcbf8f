/** Inception-v3 (Szegedy et al. 2016, https://arxiv.org/abs/1512.00567) as FID uses it (Heusel et al. 2017,
 *  https://arxiv.org/abs/1706.08500): the network of Google's archive `inception-2015-12-05`, with the layer names of its published
 *  PyTorch weights. It differs from the usual Inception-v3 in its 1,008 classes, in average pools that leave the padding out of
 *  the mean, and in a maximum pool where the last block should average. The features are those of `pool3`, 2,048 an image. */
import type { Value } from '../../onnx/graph.ts'
import type { Ops } from '../../onnx/ops.ts'
import { int64s, type Shape } from '../../onnx/tensor.ts'
import { batchNorm, globalAveragePool, kaimingNormalFanOut, linear } from '../layers.ts'
import { type Network, networkOf, type Scope } from '../network.ts'

export const INCEPTION_CLASSES = 1008
/** Height and width that the network was trained for. */
const SIZE = 299

interface UnitOptions {
  kernel?: [height: number, width: number]
  stride?: number
  padding?: [vertical: number, horizontal: number]
}

const three: UnitOptions = { kernel: [3, 3], padding: [1, 1] }
const narrow: UnitOptions = { kernel: [3, 3] }
const halving: UnitOptions = { kernel: [3, 3], stride: 2 }
const five: UnitOptions = { kernel: [5, 5], padding: [2, 2] }
const row = (width: number): UnitOptions => ({ kernel: [1, width], padding: [0, (width - 1) / 2] })
const column = (height: number): UnitOptions => ({ kernel: [height, 1], padding: [(height - 1) / 2, 0] })

/** Convolution without bias, batch norm, ReLU. */
function unit(
  scope: Scope,
  name: string,
  x: Value,
  out: number,
  { kernel = [1, 1], stride = 1, padding: [vertical, horizontal] = [0, 0] }: UnitOptions = {},
): Value {
  const weight = scope.parameter(`${name}.conv.weight`, [out, x.shape[1]!, ...kernel], kaimingNormalFanOut)
  const pads = [vertical, horizontal, vertical, horizontal]
  const wide = scope.ops.Conv(x, weight, null, { kernel_shape: kernel, strides: [stride, stride], pads })
  return scope.ops.Relu(batchNorm(scope, `${name}.bn`, wide, { epsilon: 0.001 }))
}

const halvingPool = ({ emit }: Ops, x: Value): Value =>
  emit('MaxPool', [x], { kernel_shape: [3, 3], strides: [2, 2] })[0]!

const pools = { average: 'AveragePool', max: 'MaxPool' }

type Step = [suffix: string, out: number, options?: UnitOptions]

/** One branch: a chain of units. Steps whose suffix ends in a letter fork: all of them see what came before. */
function branch(scope: Scope, name: string, x: Value, steps: Step[]): Value {
  const forked: Value[] = []
  let y = x
  for (const [suffix, out, options] of steps) {
    const next = unit(scope, `${name}${suffix}`, y, out, options)
    if (/[a-z]$/.test(suffix)) forked.push(next)
    else y = next
  }
  return forked.length > 0 ? scope.ops.Concat(forked, 1) : y
}

/** Branches side by side. A block that `halves` ends in a bare pool of stride 2; others in a pool and a 1x1 unit. */
function block(
  scope: Scope,
  name: string,
  x: Value,
  branches: Record<string, Step[]>,
  last: { pool: keyof typeof pools; out: number } | 'halves',
): Value {
  const { ops } = scope
  const outputs = Object.entries(branches).map(([own, steps]) => branch(scope, `${name}.${own}`, x, steps))
  if (last === 'halves') return ops.Concat([...outputs, halvingPool(ops, x)], 1)
  const pooled = ops.emit(pools[last.pool], [x], { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1] })[0]!
  return ops.Concat([...outputs, unit(scope, `${name}.branch_pool`, pooled, last.out)], 1)
}

const blockA = (scope: Scope, name: string, x: Value, pooled: number) =>
  block(
    scope,
    name,
    x,
    {
      branch1x1: [['', 64]],
      branch5x5: [
        ['_1', 48],
        ['_2', 64, five],
      ],
      branch3x3dbl: [
        ['_1', 64],
        ['_2', 96, three],
        ['_3', 96, three],
      ],
    },
    { pool: 'average', out: pooled },
  )

const blockB = (scope: Scope, name: string, x: Value) =>
  block(
    scope,
    name,
    x,
    {
      branch3x3: [['', 384, halving]],
      branch3x3dbl: [
        ['_1', 64],
        ['_2', 96, three],
        ['_3', 96, halving],
      ],
    },
    'halves',
  )

const blockC = (scope: Scope, name: string, x: Value, width: number) =>
  block(
    scope,
    name,
    x,
    {
      branch1x1: [['', 192]],
      branch7x7: [
        ['_1', width],
        ['_2', width, row(7)],
        ['_3', 192, column(7)],
      ],
      branch7x7dbl: [
        ['_1', width],
        ['_2', width, column(7)],
        ['_3', width, row(7)],
        ['_4', width, column(7)],
        ['_5', 192, row(7)],
      ],
    },
    { pool: 'average', out: 192 },
  )

const blockD = (scope: Scope, name: string, x: Value) =>
  block(
    scope,
    name,
    x,
    {
      branch3x3: [
        ['_1', 192],
        ['_2', 320, halving],
      ],
      branch7x7x3: [
        ['_1', 192],
        ['_2', 192, row(7)],
        ['_3', 192, column(7)],
        ['_4', 192, halving],
      ],
    },
    'halves',
  )

const blockE = (scope: Scope, name: string, x: Value, pool: keyof typeof pools) =>
  block(
    scope,
    name,
    x,
    {
      branch1x1: [['', 320]],
      branch3x3: [
        ['_1', 384],
        ['_2a', 384, row(3)],
        ['_2b', 384, column(3)],
      ],
      branch3x3dbl: [
        ['_1', 448],
        ['_2', 384, three],
        ['_3a', 384, row(3)],
        ['_3b', 384, column(3)],
      ],
    },
    { pool, out: 192 },
  )

/** [n, c, h, w] in [0, 1] -> [n, 3, 299, 299] in [-1, 1]: grey images thrice, then bilinear between pixel centres and without
 *  smoothing, as pytorch-fid does. */
export function preprocess(ops: Ops, x: Value): Value {
  const [count, channels] = x.shape as [number, number]
  if (channels !== 1 && channels !== 3) throw new Error(`expected images of 1 or 3 channels, got ${channels}`)
  const coloured = channels === 3 ? x : ops.Concat([x, x, x], 1)
  const sizes = ops.constant(int64s([4], [count, 3, SIZE, SIZE]))
  const resized = ops.emit('Resize', [coloured, null, null, sizes], {
    mode: 'linear',
    coordinate_transformation_mode: 'half_pixel',
  })[0]!
  return ops.Sub(ops.Mul(resized, 2), 1)
}

/** For images of any size, grey or in colour; `inputShape` is [c, h, w]. */
export const inceptionV3 = (inputShape: Shape): Network =>
  networkOf(inputShape, INCEPTION_CLASSES, (scope, images) => {
    const { ops } = scope
    let x = preprocess(ops, images)
    x = unit(scope, 'Conv2d_1a_3x3', x, 32, halving)
    x = unit(scope, 'Conv2d_2a_3x3', x, 32, narrow)
    x = halvingPool(ops, unit(scope, 'Conv2d_2b_3x3', x, 64, three)) // 73 x 73
    x = unit(scope, 'Conv2d_3b_1x1', x, 80)
    x = halvingPool(ops, unit(scope, 'Conv2d_4a_3x3', x, 192, narrow)) // 35 x 35
    for (const [letter, pooled] of [['b', 32] as const, ['c', 64] as const, ['d', 64] as const]) {
      x = blockA(scope, `Mixed_5${letter}`, x, pooled)
    }
    x = blockB(scope, 'Mixed_6a', x) // 17 x 17
    for (const [letter, width] of [
      ['b', 128] as const,
      ['c', 160] as const,
      ['d', 160] as const,
      ['e', 192] as const,
    ]) {
      x = blockC(scope, `Mixed_6${letter}`, x, width)
    }
    x = blockD(scope, 'Mixed_7a', x) // 8 x 8
    x = blockE(scope, 'Mixed_7b', x, 'average')
    x = blockE(scope, 'Mixed_7c', x, 'max')
    return linear(scope, 'fc', globalAveragePool(scope, x), INCEPTION_CLASSES)
  })
