/** Statistics of boards: spread over seeds, the gap to retrain, and which rows are really apart. Pure. */
import tCdf from '@stdlib/stats-base-dists-t-cdf'
import { MetricError } from './metric.ts'

export const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** The mean of the two in the middle where their number is even. */
export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length / 2
  return mean(sorted.slice(Math.ceil(half) - 1, Math.floor(half) + 1))
}

/** Between the two values whose ranks are nearest, in proportion, as NumPy's `percentile` does. */
export function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const place = share * (sorted.length - 1)
  const [low, high] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!]
  return low + (high - low) * (place - Math.floor(place))
}

/** Mean and sample standard deviation (divisor n - 1); one value has no spread. */
export function meanAndSpread(values: number[]): { mean: number; sd: number | null; n: number } {
  const n = values.length
  if (n === 0) throw new MetricError('expected at least one value to average, got none')
  const center = mean(values)
  const squares = values.reduce((sum, value) => sum + (value - center) ** 2, 0)
  return { mean: center, sd: n > 1 ? Math.sqrt(squares / (n - 1)) : null, n }
}

/** Mean |value - reference| over the metrics, which both sides must have. */
export function avgGap(values: Record<string, number>, reference: Record<string, number>): number {
  const ids = [...new Set([...Object.keys(values), ...Object.keys(reference)])]
  const gaps = ids.map((id) => {
    const missing = id in values ? (id in reference ? null : 'the reference') : 'the values'
    if (missing) throw new MetricError(`the gap needs the metric ${id} on both sides; ${missing} lack it`)
    return Math.abs(values[id]! - reference[id]!)
  })
  return meanAndSpread(gaps).mean
}

/** A spread of differences below this share of their mean is rounding: they are taken for equal. */
const ROUNDING = 1e-9

/** Two-sided p-value of a paired t-test: 1 for fewer than two pairs, or for differences whose mean is 0. Differences that are all
 *  the same have no variance to test by, and count by their sign only: 2^-(n - 1), as the exact sign-flip test gives. */
export function pairedTTest(differences: number[]): number {
  if (differences.length < 2) return 1
  const { mean, sd, n } = meanAndSpread(differences)
  if (mean === 0) return 1
  if (sd! <= ROUNDING * Math.abs(mean)) return 2 ** (1 - n)
  const t = mean / (sd! / Math.sqrt(n))
  return 2 * tCdf(-Math.abs(t), n - 1)
}

/** From so many seeds on, the seed that a difference must survive lies `AGAINST` standard deviations away. */
const MANY_SEEDS = 10
const AGAINST = 5

/** The p-value of a paired t-test after one more seed, the worst that one should reckon with: it lies five standard deviations of the
 *  differences from their mean, against it; with fewer than ten seeds, whose spread says less, as much further as they are fewer.
 *
 *  Gaps are skewed: a method does well on most seeds and now and then badly. Beside a row that hardly varies, a few seeds without
 *  such a bad one look like a sure difference, and the plain t-test separates rows of equal mean in up to 24 of 100 boards; sign
 *  flips, tried beside it, in up to 9 of ten seeds and never in fewer than six. Insured, it is at most 5 from five seeds on, and 7 of
 *  three in the worst case (docs/calibration.md). */
export function insuredTTest(differences: number[]): number {
  if (differences.length < 2) return 1
  const { mean, sd, n } = meanAndSpread(differences)
  if (sd! <= ROUNDING * Math.abs(mean)) return pairedTTest(differences)
  const away = AGAINST * Math.max(1, MANY_SEEDS / n)
  return pairedTTest([...differences, mean - Math.sign(mean) * away * sd!])
}

export interface RankedRow {
  id: string
  /** Value by seed; smaller is better. */
  bySeed: Map<number, number>
}

/** Fewest common seeds that can separate two rows: the spread of two differences is too often small by chance. */
const FEWEST_SEEDS = 3

/** The ranks that each row may hold: `low` is 1 + the rows that beat it, `high` is n - the rows it beats. Row a beats row b
 *  when the insured t-test over their common seeds separates them after Holm's correction over all pairs and a's mean is
 *  smaller. A pair with fewer than three common seeds cannot be separated, but still counts as a pair. */
export function rankRanges(
  rows: RankedRow[],
  { alpha = 0.05 }: { alpha?: number } = {},
): Map<string, { low: number; high: number }> {
  const ranges = new Map(rows.map(({ id }) => [id, { low: 1, high: rows.length }]))
  const pairs = rows.flatMap((a, index) => rows.slice(index + 1).map((b) => comparePair(a, b)))
  pairs.sort((a, b) => a.p - b.p)
  for (const [index, { p, better, worse }] of pairs.entries()) {
    // Holm: the k-th smallest of m p-values (k from 0) is held against alpha / (m - k); the first failure ends it.
    if (p > alpha / (pairs.length - index) || p === 1) break
    ranges.get(worse)!.low += 1
    ranges.get(better)!.high -= 1
  }
  return ranges
}

function comparePair(a: RankedRow, b: RankedRow): { p: number; better: string; worse: string } {
  const common = [...a.bySeed.keys()].filter((seed) => b.bySeed.has(seed))
  const differences = common.map((seed) => a.bySeed.get(seed)! - b.bySeed.get(seed)!)
  const total = differences.reduce((sum, difference) => sum + difference, 0)
  const [better, worse] = total < 0 ? [a.id, b.id] : [b.id, a.id]
  return { p: common.length < FEWEST_SEEDS ? 1 : insuredTTest(differences), better, worse }
}
