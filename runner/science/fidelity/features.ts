/** Features of images, and the normal distribution that a Fréchet distance takes them for. Pure. */

import { cholesky, type Matrix, type Multiply, matrixOf, transposed } from '../matrix.ts'
import { MetricError } from '../metric.ts'

export interface Features {
  count: number
  dimension: number
  /** [count, dimension], row-major. */
  data: Float32Array
}

/** Mean and covariance (divisor n − 1), the latter by a factor: covariance = factorᵀ · factor. */
export interface Gaussian {
  count: number
  mean: Float64Array
  /** [rank or more, dimension] */
  factor: Matrix
}

/** Features whose array fits their shape and is finite. Throws MetricError where not. */
export function featuresOf(data: Float32Array, dimension: number, whose: string): Features {
  const count = data.length / dimension
  if (!Number.isInteger(count)) {
    throw new MetricError(`${whose}: expected a multiple of ${dimension} features, got ${data.length}`)
  }
  const bad = data.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0) {
    throw new MetricError(
      `${whose}: expected finite features, got ${data[bad]} (image ${Math.floor(bad / dimension)}); the images or the extractor diverged`,
    )
  }
  return { count, dimension, data }
}

/** The chosen rows, in the order given. */
export function rowsOf({ dimension, data }: Features, rows: ArrayLike<number>): Features {
  const chosen = new Float32Array(rows.length * dimension)
  for (let i = 0; i < rows.length; i++) {
    chosen.set(data.subarray(rows[i]! * dimension, (rows[i]! + 1) * dimension), i * dimension)
  }
  return { count: rows.length, dimension, data: chosen }
}

export const asMatrix = ({ count, dimension, data }: Features): Matrix =>
  matrixOf(count, dimension, Float64Array.from(data))

/** Images at a time, to bound the memory. */
const BLOCK = 512

/** With no more images than dimensions the centred features are themselves the factor, and nothing is squared; else it is the
 *  Cholesky factor of the covariance. */
export async function gaussianOf(features: Features, multiply: Multiply): Promise<Gaussian> {
  const { count, dimension, data } = features
  if (count < 2) throw new MetricError(`expected at least two images for a covariance, got ${count}`)
  const mean = new Float64Array(dimension)
  for (let i = 0; i < data.length; i++) mean[i % dimension]! += data[i]! / count
  const scale = 1 / Math.sqrt(count - 1)
  const centred = (first: number, rows: number): Matrix => {
    const block = data.subarray(first * dimension, (first + rows) * dimension)
    return matrixOf(
      rows,
      dimension,
      Float64Array.from(block, (value, i) => (value - mean[i % dimension]!) * scale),
    )
  }
  if (count <= dimension) return { count, mean, factor: centred(0, count) }
  const covariance = matrixOf(dimension, dimension)
  for (let first = 0; first < count; first += BLOCK) {
    const block = centred(first, Math.min(BLOCK, count - first))
    const part = await multiply(block, block, { transposeA: true })
    for (let i = 0; i < part.data.length; i++) covariance.data[i]! += part.data[i]!
  }
  return gaussianFrom({ count, mean, covariance })
}

/** From published statistics, when the features are not at hand. */
export const gaussianFrom = ({
  count,
  mean,
  covariance,
}: Pick<Gaussian, 'count' | 'mean'> & { covariance: Matrix }): Gaussian => ({
  count,
  mean,
  factor: transposed(cholesky(covariance)),
})
