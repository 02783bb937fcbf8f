/** How well one number tells two groups of examples apart. */
import { MetricError } from '../../../metric.ts'
import { mean } from '../../../statistics.ts'

/** 100 × the share of all pairs in which `a` has the larger number; equal ones count half. 50 where nothing tells them apart. */
export function auc(a: Float64Array, b: Float64Array): number {
  const sorted = b.toSorted()
  let pairs = 0
  for (const value of a) pairs += (below(sorted, value) + notAbove(sorted, value)) / 2
  return (100 * pairs) / (a.length * b.length)
}

/** 100 × the largest share of `a` above a threshold that at most `percent` of `b` lie above. */
export function shareAbove(a: Float64Array, b: Float64Array, percent: number): number {
  const allowed = Math.floor((percent * b.length) / 100)
  const sorted = b.toSorted()
  // The first of b that must not lie above.
  const threshold = sorted[b.length - 1 - allowed]!
  return (100 * a.filter((value) => value > threshold).length) / a.length
}

/** Difference of the means in units of the pooled standard deviation (n - 1 of each group); 0 where they are equal. Throws
 *  MetricError where no number differs from its group's mean. */
export function shiftOf(a: Float64Array, b: Float64Array): number {
  const shift = mean([...a]) - mean([...b])
  if (shift === 0) return 0
  const spread = Math.sqrt((squares(a) + squares(b)) / (a.length + b.length - 2))
  if (spread > 0) return shift / spread
  throw new MetricError('expected numbers that differ between examples, got one for all of them')
}

/** Σ (x - mean)². */
function squares(values: Float64Array): number {
  const centre = mean([...values])
  return values.reduce((total, value) => total + (value - centre) ** 2, 0)
}

/** How many of the sorted numbers are smaller. */
const below = (sorted: Float64Array, value: number): number => placeOf(sorted, (each) => each >= value)

const notAbove = (sorted: Float64Array, value: number): number => placeOf(sorted, (each) => each > value)

/** Of the first that is far enough. */
function placeOf(sorted: Float64Array, isFar: (each: number) => boolean): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isFar(sorted[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}
