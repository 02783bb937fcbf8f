/** Dense float64 matrices and what the distances ask of them. Pure: products are injected, so that an engine computes them. */

export interface Matrix {
  rows: number
  columns: number
  /** Row-major. */
  data: Float64Array
}

/** a · b in float64, either one transposed first where the options say so. */
export type Multiply = (
  a: Matrix,
  b: Matrix,
  options?: { transposeA?: boolean; transposeB?: boolean },
) => Promise<Matrix>

export const matrixOf = (
  rows: number,
  columns: number,
  data: Float64Array = new Float64Array(rows * columns),
): Matrix => ({
  rows,
  columns,
  data,
})

export function transposed({ rows, columns, data }: Matrix): Matrix {
  const turned = new Float64Array(data.length)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) turned[column * rows + row] = data[row * columns + column]!
  }
  return matrixOf(columns, rows, turned)
}

/** The sum of products of equal entries, <a, b>; tr(aᵀ b). */
export function inner(a: Matrix, b: Matrix): number {
  let sum = 0
  for (let i = 0; i < a.data.length; i++) sum += a.data[i]! * b.data[i]!
  return sum
}

/** The lower triangular L with s = L · Lᵀ of a symmetric matrix without negative eigenvalues. Where a row depends on those
 *  before it, its pivot is rounding noise, below `columns` × 2⁻⁵² of its own diagonal entry; its column of L is then 0. */
export function cholesky({ columns: size, data }: Matrix): Matrix {
  const lower = new Float64Array(size * size)
  for (let i = 0; i < size; i++) {
    const rowI = i * size
    for (let j = 0; j <= i; j++) {
      const rowJ = j * size
      let rest = data[rowI + j]!
      for (let k = 0; k < j; k++) rest -= lower[rowI + k]! * lower[rowJ + k]!
      const pivot = lower[rowJ + j]!
      if (j < i) lower[rowI + j] = pivot > 0 ? rest / pivot : 0
      else lower[rowI + i] = rest > size * Number.EPSILON * data[rowI + i]! ? Math.sqrt(rest) : 0
    }
  }
  return matrixOf(size, size, lower)
}
