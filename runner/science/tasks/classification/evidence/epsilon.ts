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
  const count = Math.ceil((high - low) * PER_UNIT)
  const epsilon = epsilonTable(negative.length, positive.length)
  let [best, missed, silent] = [-1, 0, 0]
  for (let at = 0; at < count; at++) {
    const threshold = gridPoint(low, high, count, at)
    while (missed < positive.length && positive[missed]! < threshold) missed += 1
    while (silent < negative.length && negative[silent]! < threshold) silent += 1
    best = Math.max(best, epsilon(negative.length - silent, missed))
  }
  return best
}

/** The same of the rules `left ≤ x ≤ right` for the narrower group: widths around its own, right ends around its largest number. */
function bestDouble(positive: Float64Array, negative: Float64Array): number {
  const [inside, outside] = spread(positive) >= spread(negative) ? [negative, positive] : [positive, negative]
  const width = spread(inside)
  const [low, high] = [inside[0]! + width - BUFFER, inside.at(-1)! + BUFFER]
  const [rights, lefts] = [Math.ceil((high - low) * PER_UNIT), 2 * BUFFER * PER_UNIT]
  const epsilon = epsilonTable(outside.length, inside.length)
  let [best, insideUpTo, outsideUpTo] = [-1, 0, 0]
  for (let at = 0; at < rights; at++) {
    const right = gridPoint(low, high, rights, at)
    while (insideUpTo < inside.length && inside[insideUpTo]! <= right) insideUpTo += 1
    while (outsideUpTo < outside.length && outside[outsideUpTo]! <= right) outsideUpTo += 1
    const [from, to] = [right - width - BUFFER, right - width + BUFFER]
    let [insideBefore, outsideBefore] = [0, 0]
    for (let step = 0; step < lefts; ) {
      const left = gridPoint(from, to, lefts, step)
      while (insideBefore < inside.length && inside[insideBefore]! < left) insideBefore += 1
      while (outsideBefore < outside.length && outside[outsideBefore]! < left) outsideBefore += 1
      const [held, alarms] = [Math.max(0, insideUpTo - insideBefore), Math.max(0, outsideUpTo - outsideBefore)]
      best = Math.max(best, epsilon(alarms, inside.length - held))
      // No left end before the next number counts otherwise.
      const next = Math.min(inside[insideBefore] ?? to, outside[outsideBefore] ?? to)
      if (next >= to || best === Number.POSITIVE_INFINITY) break
      const guess = Math.floor(((next - from) / (to - from)) * (lefts - 1))
      step = Math.max(step + 1, guess - 1)
      while (gridPoint(from, to, lefts, step) <= next) step += 1
    }
  }
  return best
}

/** ε by how many of `negatives` a rule takes for positive and how many of `positives` it misses. -1 for a rule that makes no error of
 *  one kind: too few models to say how rare it is. Without any error, the groups are apart. */
function epsilonTable(negatives: number, positives: number): (alarms: number, missed: number) => number {
  const table = new Float64Array((negatives + 1) * (positives + 1))
  for (let alarms = 0; alarms <= negatives; alarms++) {
    for (let missed = 0; missed <= positives; missed++)
      table[alarms * (positives + 1) + missed] = epsilonFrom(alarms / negatives, missed / positives)
  }
  return (alarms, missed) => table[alarms * (positives + 1) + missed]!
}

function epsilonFrom(alarms: number, missed: number): number {
  if (alarms === 0 && missed === 0) return Number.POSITIVE_INFINITY
  if (alarms === 0 || missed === 0) return -1
  // What no logarithm can be taken of does not count.
  const of = (a: number, b: number) => (1 - DELTA - a > 0 ? Math.log(1 - DELTA - a) - Math.log(b) : 0)
  return Math.max(0, of(alarms, missed), of(missed, alarms))
}

/** One of `count` that are equally far apart, both ends among them. */
const gridPoint = (low: number, high: number, count: number, at: number): number =>
  at === count - 1 ? high : low + at * ((high - low) / (count - 1))
