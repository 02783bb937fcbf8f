/** Features of images, and the normal distribution that a Fréchet distance takes them for. Pure. */
import { MetricError } from '../metric.ts'
import { cholesky, type Matrix, type Multiply, matrixOf, transposed } from './matrix.ts'

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

/** With no more images than dimensions the centred features are themselves the factor, and nothing is squared; else it is the
 *  Cholesky factor of the covariance. */
export async function gaussianOf(features: Features, multiply: Multiply): Promise<Gaussian> {
  const { count, dimension, data } = features
  if (count < 2) throw new MetricError(`expected at least two images for a covariance, got ${count}`)
  const mean = new Float64Array(dimension)
  for (let i = 0; i < data.length; i++) mean[i % dimension]! += data[i]! / count
  const centred = matrixOf(count, dimension)
  const scale = 1 / Math.sqrt(count - 1)
  for (let i = 0; i < data.length; i++) centred.data[i] = (data[i]! - mean[i % dimension]!) * scale
  if (count <= dimension) return { count, mean, factor: centred }
  return gaussianFrom({ count, mean, covariance: await multiply(centred, centred, { transposeA: true }) })
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
