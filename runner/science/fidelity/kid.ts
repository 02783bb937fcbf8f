/** Kernel Inception Distance (Bińkowski et al. 2018, https://arxiv.org/abs/1801.01401): the squared maximum mean discrepancy under
 *  k(x, y) = (x·y / d + 1)³. Its estimator has no bias, whatever the number of images, and can therefore be below 0. */

import type { Matrix, Multiply } from '../matrix.ts'
import { MetricError } from '../metric.ts'
import { meanAndSpread } from '../statistics.ts'
import { asMatrix, type Features, rowsOf } from './features.ts'

/** Number of pairs of subsets that the value is the mean of. */
export const SUBSETS = 100
/** Images in a subset; all of the smaller set where that has fewer. */
export const LARGEST_SUBSET = 1000

export const subsetSize = (generated: number, real: number): number => Math.min(LARGEST_SUBSET, generated, real)

export interface KernelDistance {
  /** Mean of the squared discrepancy over the subsets. */
  value: number
  /** Their sample standard deviation; null with one subset. */
  sd: number | null
}

/** `shuffle` gives a fresh order of `count` images; the first of them are a subset, drawn without replacement, that of the
 *  generated images before that of the real ones. Where the subset is all images on both sides, one is enough. */
export async function kernelDistance(
  generated: Features,
  real: Features,
  { multiply, shuffle }: { multiply: Multiply; shuffle: (count: number) => ArrayLike<number> },
): Promise<KernelDistance> {
  const size = subsetSize(generated.count, real.count)
  if (size < 2) throw new MetricError(`KID needs at least two images on both sides, got ${size}`)
  const whole = size === generated.count && size === real.count
  const subset = (features: Features) => asMatrix(rowsOf(features, Array.from(shuffle(features.count)).slice(0, size)))
  const values: number[] = []
  for (let i = 0; i < (whole ? 1 : SUBSETS); i++)
    values.push(await discrepancy(subset(generated), subset(real), multiply))
  const { mean, sd } = meanAndSpread(values)
  return { value: mean, sd }
}

/** The unbiased estimate of MMD² from two sets of m: the mean kernel of different images within either, less twice the mean
 *  kernel across. */
async function discrepancy(x: Matrix, y: Matrix, multiply: Multiply): Promise<number> {
  const within = async (set: Matrix) => {
    const { all, diagonal } = await kernelSums(set, set, multiply)
    return (all - diagonal) / (set.rows * (set.rows - 1))
  }
  const across = (await kernelSums(x, y, multiply)).all / (x.rows * y.rows)
  return (await within(x)) + (await within(y)) - 2 * across
}

async function kernelSums(x: Matrix, y: Matrix, multiply: Multiply): Promise<{ all: number; diagonal: number }> {
  const { data } = await multiply(x, y, { transposeB: true })
  let [all, diagonal] = [0, 0]
  for (let i = 0; i < data.length; i++) {
    const root = data[i]! / x.columns + 1
    const kernel = root * root * root // `** 3` takes ten times as long
    all += kernel
    if (i % (y.rows + 1) === 0) diagonal += kernel
  }
  return { all, diagonal }
}
