/** What metrics are handed where there is no engine: everything in TypeScript, in the thread that asks. */
import type { Matrix, Multiply } from './matrix.ts'
import { matrixOf, transposed } from './matrix.ts'
import type { FitSvc, MetricTools } from './metric.ts'
import { METRIC_SEED, metricPurpose, purposeText, shuffleOf, streamFrom } from './stream.ts'
import { trainSvc } from './svc/svc.ts'

/** What is asked for takes longer than it may here; a machine with the engine computes it. */
export class TooLongError extends Error {
  override name = 'TooLongError'
}

export interface Bounds {
  /** That an SVC is fitted on: 4,000 take 0.1 s, 20,000 about 2 s. */
  svcSamples: number
  /** What its kernel rows may take. */
  svcCacheBytes: number
  /** Multiplications in all products of matrices together: a thousand million take 0.9 s. */
  multiplications: number
}

export const plainTools = ({ svcSamples, svcCacheBytes, multiplications }: Bounds): MetricTools => ({
  async fitSvc(problem) {
    const { length } = problem.labels
    if (length > svcSamples) throw new TooLongError(`an SVC on ${length} samples, of at most ${svcSamples} here`)
    return plainSvc({ ...problem, cacheBytes: svcCacheBytes })
  },
  multiply: multiplyWithin(multiplications),
  shuffles: plainShuffles,
})

export const plainSvc = async ({
  queries,
  ...problem
}: Parameters<FitSvc>[0] & { cacheBytes?: number }): Promise<Uint8Array> => trainSvc(problem).decide(queries)

/** The orders of the engine's tools, on every platform. */
export async function plainShuffles(purpose: string) {
  const text = new TextEncoder().encode(purposeText(METRIC_SEED, metricPurpose(purpose)))
  return shuffleOf(streamFrom(new Uint8Array(await crypto.subtle.digest('SHA-256', text))))
}

/** Sums in another order than the engine's, so that last digits differ. */
function multiplyWithin(most: number): Multiply {
  let done = 0
  return async (a, b, { transposeA = false, transposeB = false } = {}) => {
    const [left, right] = [transposeA ? transposed(a) : a, transposeB ? transposed(b) : b]
    if (left.columns !== right.rows)
      throw new Error(`a product sums over ${left.columns} entries on the left, but ${right.rows} on the right`)
    done += left.rows * left.columns * right.columns
    if (done > most) throw new TooLongError(`products of matrices with more than ${most} multiplications`)
    return productOf(left, right)
  }
}

function productOf(a: Matrix, b: Matrix): Matrix {
  const product = matrixOf(a.rows, b.columns)
  const [{ data }, { columns }] = [product, b]
  for (let row = 0; row < a.rows; row++) {
    const to = row * columns
    for (let k = 0; k < a.columns; k++) {
      const factor = a.data[row * a.columns + k]!
      const from = k * columns
      for (let column = 0; column < columns; column++) data[to + column]! += factor * b.data[from + column]!
    }
  }
  return product
}
