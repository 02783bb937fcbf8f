/** The sum of the singular values of a matrix, by products of matrices alone.
 *
 *  With C = U S Vᵀ the sum is <U Vᵀ, C>. The Newton-Schulz iteration X ← X (3 I − XᵀX) / 2 takes C / |C| to the polar factor
 *  U Vᵀ: it leaves the singular vectors and moves each singular value towards 1. Scaling X by `a` before a step
 *  (Chen and Chow 2014, "A stable scaling of Newton-Schulz for improving the sign function computation of a Hermitian
 *  matrix") lifts small ones 2.5-fold instead of 1.5-fold. A singular value of 0 stays 0 and adds nothing, so that rank-deficient
 *  matrices need no care; that is why this is used rather than the square root of a product of covariances, whose zero
 *  eigenvalues come out as the square root of rounding noise. */
import { inner, type Matrix, type Multiply, matrixOf, transposed } from '../matrix.ts'

/** Singular values below this share of the bound on the largest one need not have converged: together they are at most
 *  `columns` times this. */
const RESOLUTION = 1e-13
/** The value is found when the singular values that are still on their way change its relative size by less than this. */
const TOLERANCE = 1e-11
/** The largest scale. At √3 the largest singular value would fall to 0 and drown in rounding; here it stays above 0.2. */
const LARGEST_SCALE = 1.65
const MOST_STEPS = 120

export class ConvergenceError extends Error {
  override name = 'ConvergenceError'
}

/** Throws ConvergenceError when the matrix has an entry that is not finite. */
export async function nuclearNorm(matrix: Matrix, multiply: Multiply): Promise<number> {
  const tall = matrix.rows >= matrix.columns ? matrix : transposed(matrix)
  const bound = normBound(tall)
  if (bound === 0) return 0
  if (!Number.isFinite(bound)) throw new ConvergenceError('expected a matrix of finite entries; the features diverged')
  let x = matrixOf(
    tall.rows,
    tall.columns,
    tall.data.map((entry) => entry / bound),
  )
  let lowest = RESOLUTION
  for (let step = 0; step < MOST_STEPS; step++) {
    const cubed = await multiply(x, await multiply(x, x, { transposeA: true })) // X XᵀX: singular values f³
    const value = inner(x, tall) // Σ s f
    const rest = value - inner(cubed, tall) // Σ s f (1 − f²), about twice what is missing once all f are near 1
    if (lowest > 0.9 && Math.abs(rest) <= TOLERANCE * value) return value + rest / 2
    // The scale that takes `lowest` and 1 to the same value.
    const scale = Math.min(LARGEST_SCALE, Math.sqrt(3 / (1 + lowest + lowest ** 2)))
    const moved = (f: number) => (scale / 2) * f * (3 - (scale * f) ** 2)
    lowest = moved(lowest)
    const [linear, cubic] = [1.5 * scale, -0.5 * scale ** 3]
    x = matrixOf(
      x.rows,
      x.columns,
      x.data.map((entry, i) => linear * entry + cubic * cubed.data[i]!),
    )
  }
  throw new ConvergenceError(`the polar factor of a ${tall.rows} x ${tall.columns} matrix did not converge`)
}

/** No singular value is larger: the smaller of the Frobenius norm and √(largest row sum × largest column sum). */
function normBound({ rows, columns, data }: Matrix): number {
  const columnSums = new Float64Array(columns)
  let largestRow = 0
  let squares = 0
  for (let row = 0; row < rows; row++) {
    let sum = 0
    for (let column = 0; column < columns; column++) {
      const size = Math.abs(data[row * columns + column]!)
      sum += size
      columnSums[column]! += size
      squares += size * size
    }
    largestRow = Math.max(largestRow, sum)
  }
  const largestColumn = columnSums.reduce((a, b) => Math.max(a, b), 0)
  return Math.min(Math.sqrt(squares), Math.sqrt(largestRow * largestColumn))
}
