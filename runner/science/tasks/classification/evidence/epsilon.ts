/** Per-example ε of the NeurIPS 2023 unlearning challenge: how well the best of many threshold rules tells two groups of numbers apart. As
 *  released code has it, with its grids of thresholds (google-deepmind/unlearning_evaluation). */
import { median } from '../../../statistics.ts'

const DELTA = 1e-5
export const EPSILON_CAP = 50
const PER_UNIT = 100
/** How far the double thresholds lie around the ends of the narrower group. */
const BUFFER = 2

/** Where neither kind of error can be estimated at any threshold that is left, the groups don't overlap: the most. */
export function epsilonOf(unlearned: Float64Array, retrained: Float64Array): number {
  // The positive side is the one with the larger median.
  const isAbove = median([...retrained]) > median([...unlearned])
  const [positive, negative] = (isAbove ? [retrained, unlearned] : [unlearned, retrained]).map((values) =>
    values.toSorted(),
  ) as [Float64Array, Float64Array]
  const [wide, narrow] = [spread(positive), spread(negative)].sort((a, b) => b - a) as [number, number]
  if (wide === 0) return positive[0] === negative[0] ? 0 : EPSILON_CAP
  if (narrow / wide < 0.01) return EPSILON_CAP
  const found = Math.max(bestSingle(positive, negative), bestDouble(positive, negative))
  return Number.isFinite(found) && found >= 0 ? Math.min(found, EPSILON_CAP) : EPSILON_CAP
}

const spread = (sorted: Float64Array) => sorted.at(-1)! - sorted[0]!

/** Largest ε of the rules `x ≥ t`; -1 where none of them counts. */
function bestSingle(positive: Float64Array, negative: Float64Array): number {
  const low = Math.min(positive[0]!, negative[0]!)
  const high = Math.max(positive.at(-1)!, negative.at(-1)!)
  const [pos, neg] = [counter(positive), counter(negative)]
  let best = -1
  for (const threshold of grid(low, high)) {
    const missed = pos.below(threshold) / positive.length
    const alarms = 1 - neg.below(threshold) / negative.length
    best = Math.max(best, epsilonFrom(alarms, missed))
  }
  return best
}

/** The same of the rules `left ≤ x ≤ right` for the narrower group: widths around its own, right ends around its largest number. */
function bestDouble(positive: Float64Array, negative: Float64Array): number {
  const [inside, outside] = spread(positive) >= spread(negative) ? [negative, positive] : [positive, negative]
  const width = spread(inside)
  let best = -1
  const rightEnds = grid(inside[0]! + width - BUFFER, inside.at(-1)! + BUFFER)
  const [own, other] = [counter(inside), counter(outside)]
  for (const right of rightEnds) {
    const [ownRight, otherRight] = [own.notAbove(right), other.notAbove(right)]
    const [ownLeft, otherLeft] = [counter(inside), counter(outside)]
    for (const left of grid(right - width - BUFFER, right - width + BUFFER, 2 * BUFFER * PER_UNIT)) {
      const missed = 1 - Math.max(0, ownRight - ownLeft.below(left)) / inside.length
      const alarms = Math.max(0, otherRight - otherLeft.below(left)) / outside.length
      best = Math.max(best, epsilonFrom(alarms, missed))
    }
  }
  return best
}

/** -1 for a rule that makes no error of one kind: too few models to say how rare it is. Without any error, the groups are apart. */
function epsilonFrom(alarms: number, missed: number): number {
  if (alarms <= 0 && missed <= 0) return Number.POSITIVE_INFINITY
  if (alarms <= 0 || missed <= 0) return -1
  // What no logarithm can be taken of does not count.
  const of = (a: number, b: number) => (1 - DELTA - a > 0 ? Math.log(1 - DELTA - a) - Math.log(b) : 0)
  return Math.max(0, of(alarms, missed), of(missed, alarms))
}

/** Equally far apart, both ends among them. */
function* grid(low: number, high: number, count = Math.ceil((high - low) * PER_UNIT)): Generator<number> {
  if (count === 1) yield low
  else for (let at = 0; at < count; at++) yield at === count - 1 ? high : low + at * ((high - low) / (count - 1))
}

/** Counts of sorted numbers for thresholds that only rise. */
function counter(sorted: Float64Array) {
  let [at, reached] = [0, 0]
  return {
    below(threshold: number): number {
      while (at < sorted.length && sorted[at]! < threshold) at += 1
      return at
    },
    notAbove(threshold: number): number {
      while (reached < sorted.length && sorted[reached]! <= threshold) reached += 1
      return reached
    },
  }
}
