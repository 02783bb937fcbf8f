/** Weights in [0, 1] with a given sum: a set of so many whose members are still undecided. */

/** Halvings after which the two ends are neighbours in double precision, whatever they began as. */
const HALVINGS = 100

/** The nearest such weights by Euclid's distance: every value less one number, then clipped. That number is found by bisection. */
export function cappedSimplex(values: Float64Array, sum: number): Float64Array<ArrayBuffer> {
  const less = (shift: number) => values.map((value) => Math.min(1, Math.max(0, value - shift)))
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) [low, high] = [Math.min(low, value - 1), Math.max(high, value)]
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2
    if (less(middle).reduce((total, weight) => total + weight, 0) > sum) low = middle
    else high = middle
  }
  return less((low + high) / 2)
}

/** The items with the largest weights, ascending; of equal ones those that come first. */
export function heaviest(items: Int32Array, weights: ArrayLike<number>, count: number): Int32Array<ArrayBuffer> {
  const order = Array.from(items.keys()).sort((a, b) => weights[b]! - weights[a]! || items[a]! - items[b]!)
  return Int32Array.from(order.slice(0, count), (at) => items[at]!).sort()
}
