/** FID without the bias of small samples (Chong and Forsyth 2020, https://arxiv.org/abs/1911.07023): the expected distance of n
 *  images is almost linear in 1 / n, so a line through the distances of nested subsets, read at 1 / n = 0, estimates that of
 *  infinitely many. */

import type { Multiply } from '../matrix.ts'
import { MetricError } from '../metric.ts'
import { type Features, type Gaussian, gaussianOf, rowsOf } from './features.ts'
import { frechetDistance } from './frechet.ts'

/** Number of subsets. */
export const POINTS = 15

/** Sizes of the subsets, evenly spaced up to all images. The smallest is a tenth of them as in the paper, but at least twice the
 *  dimension while that is at most half: below, the distance isn't linear in 1 / n. */
export function subsetSizes(count: number, dimension: number): number[] {
  if (count < 2 * POINTS) throw new MetricError(`FID∞ needs at least ${2 * POINTS} images, got ${count}`)
  const smallest = Math.min(Math.floor(count / 2), Math.max(Math.floor(count / 10), 2 * dimension))
  return Array.from({ length: POINTS }, (_, i) => Math.floor(smallest + (i * (count - smallest)) / (POINTS - 1)))
}

export interface Extrapolation {
  /** The distance at 1 / n = 0. */
  value: number
  sizes: number[]
  distances: number[]
}

/** `shuffle` gives a fresh order of `count` images for each subset, which is made of the first ones. */
export async function fidInfinity(
  generated: Features,
  real: Gaussian,
  { multiply, shuffle }: { multiply: Multiply; shuffle: (count: number) => ArrayLike<number> },
): Promise<Extrapolation> {
  const sizes = subsetSizes(generated.count, generated.dimension)
  const distances: number[] = []
  for (const size of sizes) {
    const chosen = Array.from(shuffle(generated.count)).slice(0, size)
    distances.push(await frechetDistance(await gaussianOf(rowsOf(generated, chosen), multiply), real, multiply))
  }
  return {
    value: interceptOf(
      sizes.map((size) => 1 / size),
      distances,
    ),
    sizes,
    distances,
  }
}

/** Where the least-squares line through the points meets x = 0. */
function interceptOf(x: number[], y: number[]): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [meanX, meanY] = [mean(x), mean(y)]
  const slope =
    mean(x.map((value, i) => (value - meanX) * (y[i]! - meanY))) / mean(x.map((value) => (value - meanX) ** 2))
  return meanY - slope * meanX
}
