/** Improved precision and recall (Kynkäänniemi et al. 2019, https://arxiv.org/abs/1904.06991). A set of features is taken for the
 *  union of balls, one around each, that reach to its k-th nearest neighbour. Precision is the share of generated images inside
 *  that of the real ones (do they look real?), recall the share of real images inside that of the generated ones (is everything
 *  there that should be?). */

import { type Matrix, type Multiply, matrixOf } from '../matrix.ts'
import { MetricError } from '../metric.ts'
import { asMatrix, type Features } from './features.ts'

/** Which neighbour a ball reaches to. */
export const NEIGHBOUR = 3
/** Rows of distances at a time, to bound the memory. */
const BLOCK = 1000

export async function precisionRecall(
  generated: Features,
  real: Features,
  multiply: Multiply,
): Promise<{ precision: number; recall: number }> {
  for (const [whose, { count }] of [['generated', generated] as const, ['real', real] as const]) {
    if (count <= NEIGHBOUR) throw new MetricError(`expected more than ${NEIGHBOUR} ${whose} images, got ${count}`)
  }
  const [made, found] = [asMatrix(generated), asMatrix(real)]
  const [madeRadii, foundRadii] = [await squaredRadii(made, multiply), await squaredRadii(found, multiply)]
  let precise = 0
  const recalled = new Uint8Array(found.rows)
  await eachDistance(made, found, multiply, (row, distances) => {
    let inside = 0
    for (let other = 0; other < distances.length; other++) {
      if (distances[other]! <= foundRadii[other]!) inside = 1
      if (distances[other]! <= madeRadii[row]!) recalled[other] = 1
    }
    precise += inside
  })
  return { precision: precise / made.rows, recall: recalled.reduce((sum, one) => sum + one, 0) / found.rows }
}

/** Squared distance of each row to its k-th nearest other row. */
async function squaredRadii(set: Matrix, multiply: Multiply): Promise<Float64Array> {
  const radii = new Float64Array(set.rows)
  await eachDistance(set, set, multiply, (row, distances) => {
    const nearest = Array(NEIGHBOUR).fill(Number.POSITIVE_INFINITY) // ascending
    for (let other = 0; other < distances.length; other++) {
      if (other === row || distances[other]! >= nearest[NEIGHBOUR - 1]) continue
      let place = NEIGHBOUR - 1
      for (; place > 0 && nearest[place - 1] > distances[other]!; place--) nearest[place] = nearest[place - 1]
      nearest[place] = distances[other]!
    }
    radii[row] = nearest[NEIGHBOUR - 1]
  })
  return radii
}

/** Hands over the squared distances of each row of `a` to all rows of `b`: |x|² + |y|² − 2 x·y. */
async function eachDistance(
  a: Matrix,
  b: Matrix,
  multiply: Multiply,
  take: (row: number, distances: Float64Array) => void,
): Promise<void> {
  const [squaresA, squaresB] = [squaresOf(a), squaresOf(b)]
  for (let first = 0; first < a.rows; first += BLOCK) {
    const rows = Math.min(BLOCK, a.rows - first)
    const block = matrixOf(rows, a.columns, a.data.subarray(first * a.columns, (first + rows) * a.columns))
    const { data } = await multiply(block, b, { transposeB: true })
    for (let row = 0; row < rows; row++) {
      const distances = data.subarray(row * b.rows, (row + 1) * b.rows)
      for (let other = 0; other < b.rows; other++) {
        distances[other] = Math.max(0, squaresA[first + row]! + squaresB[other]! - 2 * distances[other]!)
      }
      take(first + row, distances)
    }
  }
}

function squaresOf({ rows, columns, data }: Matrix): Float64Array {
  const squares = new Float64Array(rows)
  for (let i = 0; i < data.length; i++) squares[Math.floor(i / columns)]! += data[i]! ** 2
  return squares
}
