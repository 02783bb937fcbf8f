/** Means and covariances of features as pytorch-fid and others save them: `mu` [d] and `sigma` [d, d] in an .npz. Pure. */
import type { Arrays } from '../../formats/arrays.ts'
import { ArraysError } from '../../formats/numbers.ts'
import { pickFrom } from '../../formats/pick.ts'
import { matrixOf } from '../matrix.ts'
import { type Gaussian, gaussianFrom } from './features.ts'

export const isStatistics = ({ arrays }: Arrays): boolean => arrays.has('mu') && arrays.has('sigma')

/** How far entries across the diagonal may be apart, of the largest. */
const ASYMMETRY = 1e-6

/** Throws ArraysError where these are no statistics. */
export function gaussianOfStatistics(file: Arrays): Gaussian {
  const { doubles } = pickFrom(file, ['mu', 'sigma'])
  const [mean, sigma] = [doubles('mu'), doubles('sigma')]
  const [size] = mean.shape
  if (mean.shape.length !== 1 || sigma.shape.join() !== `${size},${size}`) {
    throw new ArraysError(
      `expected mu of [d] and sigma of [d, d], got [${mean.shape.join(', ')}] and [${sigma.shape.join(', ')}]`,
    )
  }
  const bad = [mean.data, sigma.data].flatMap((part) => part.find((value) => !Number.isFinite(value)) ?? [])[0]
  if (bad !== undefined) throw new ArraysError(`expected finite mu and sigma, got ${bad}`)
  const at = (row: number, column: number) => sigma.data[row * size! + column]!
  let largest = 0
  for (const value of sigma.data) largest = Math.max(largest, Math.abs(value))
  for (let row = 0; row < size!; row++) {
    if (at(row, row) < 0) throw new ArraysError(`expected variances from 0, got ${at(row, row)} (dimension ${row})`)
    for (let column = 0; column < row; column++) {
      if (Math.abs(at(row, column) - at(column, row)) > ASYMMETRY * largest) {
        throw new ArraysError(
          `expected a symmetric sigma, got ${at(row, column)} and ${at(column, row)} at ${row}, ${column}`,
        )
      }
    }
  }
  return gaussianFrom({ count: Number.NaN, mean: mean.data, covariance: matrixOf(size!, size!, sigma.data) })
}
