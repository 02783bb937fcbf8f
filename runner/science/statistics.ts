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

/** Over so many values; one alone has no standard deviation. Of clusters `runs` says how many runs they have, where these are more. */
export interface Spread {
  mean: number
  sd: number | null
  n: number
  runs?: number | undefined
}

/** Mean and sample standard deviation (divisor n - 1). */
export function meanAndSpread(values: number[]): Spread {
  const n = values.length
  if (n === 0) throw new MetricError('expected at least one value to average, got none')
  const center = mean(values)
  const squares = values.reduce((sum, value) => sum + (value - center) ** 2, 0)
  return { mean: center, sd: n > 1 ? Math.sqrt(squares / (n - 1)) : null, n }
}

/** What one run came to. Runs of one cluster share a seed that makes their values alike (schema/parts/seeding.ts). */
export interface Clustered {
  cluster: number
  value: number
}

/** One value a cluster, in the order of the first run of each: the mean of its runs, whatever their number. */
export const clusterMeans = (values: Clustered[]): number[] =>
  [...Map.groupBy(values, ({ cluster }) => cluster).values()].map((runs) => mean(runs.map(({ value }) => value)))

/** Mean, spread and n over clusters, since the runs of one tell little more than one of them; `runs` where there are more of them. */
export function clusteredSpread(values: Clustered[]): Spread {
  const spread = meanAndSpread(clusterMeans(values))
  return values.length > spread.n ? { ...spread, runs: values.length } : spread
}

type ClusterOf<Run> = (run: Run) => number
type MeasureOf<Run> = (run: Run) => number | null | undefined

const clustered = <Run>(runs: readonly Run[], clusterOf: ClusterOf<Run>, measured: MeasureOf<Run>): Clustered[] =>
  runs.flatMap((run) => {
    const value = measured(run) ?? null
    return value === null ? [] : [{ cluster: clusterOf(run), value }]
  })

/** The same of what runs measured; null where none did. */
export function spreadOver<Run>(
  runs: readonly Run[],
  clusterOf: ClusterOf<Run>,
  measured: MeasureOf<Run>,
): Spread | null {
  const values = clustered(runs, clusterOf, measured)
  return values.length > 0 ? clusteredSpread(values) : null
}

/** How sure it is that what runs measured is not 0 on average, by clusters; null where none measured it. */
export function apartOver<Run>(
  runs: readonly Run[],
  clusterOf: ClusterOf<Run>,
  measured: MeasureOf<Run>,
): number | null {
  const values = clustered(runs, clusterOf, measured)
  return values.length > 0 ? apartP(clusterMeans(values)) : null
}

/** The interval that holds the mean of normal values in `level` of all cases; null where there is no spread. */
export function intervalOf(
  { mean, sd, n }: { mean: number; sd: number | null; n: number },
  level = 0.95,
): { low: number; high: number } | null {
  if (sd === null) return null
  const away = (tQuantile((1 + level) / 2, n - 1) * sd) / Math.sqrt(n)
  return { low: mean - away, high: mean + away }
}

/** The t that a share of the distribution, above a half, lies below: by halving, until numbers lie no closer. */
function tQuantile(share: number, degrees: number): number {
  let [low, high] = [0, 1]
  while (tCdf(high, degrees) < share) [low, high] = [high, 2 * high]
  for (let middle = (low + high) / 2; low < middle && middle < high; middle = (low + high) / 2) {
    if (tCdf(middle, degrees) < share) low = middle
    else high = middle
  }
  return high
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

/** Fewest differences that can separate two rows: the spread of two is too often small by chance. */
const FEWEST = 3

interface RankOptions {
  alpha?: number
  /** Which runs belong together; left out, each is by itself. */
  clusterOf?: (seed: number) => number
}

/** How sure it is that differences are not 0 on average: the p-value of the insured t-test; 1 for fewer than three. */
export const apartP = (differences: number[]): number => (differences.length < FEWEST ? 1 : insuredTTest(differences))

export interface Separation {
  better: string
  worse: string
  p: number
}

/** The pairs of rows that are apart, the surest first: the insured t-test over their common seeds, or over the clusters of these,
 *  separates them after Holm's correction over all pairs. A pair with fewer than three in common cannot be separated, but still
 *  counts as a pair. */
export function separations(
  rows: RankedRow[],
  { alpha = 0.05, clusterOf = (seed) => seed }: RankOptions = {},
): Separation[] {
  const pairs = rows.flatMap((a, index) => rows.slice(index + 1).map((b) => comparePair(a, b, clusterOf)))
  return afterHolm(pairs, alpha)
}

/** Those that Holm's correction over all of them leaves, the smallest p first: the k-th smallest of m (k from 0) is held against
 *  alpha / (m - k); the first failure ends it. */
export function afterHolm<Test extends { p: number }>(tests: readonly Test[], alpha = 0.05): Test[] {
  const sorted = tests.toSorted((a, b) => a.p - b.p)
  const end = sorted.findIndex(({ p }, index) => p > alpha / (sorted.length - index) || p === 1)
  return end < 0 ? sorted : sorted.slice(0, end)
}

/** The ranks that each row may hold: `low` is 1 + the rows that beat it, `high` is n - the rows it beats. Of two rows that are apart
 *  the one with the smaller mean beats the other. */
export function rankRanges(rows: RankedRow[], options: RankOptions = {}): Map<string, { low: number; high: number }> {
  const ranges = new Map(rows.map(({ id }) => [id, { low: 1, high: rows.length }]))
  for (const { better, worse } of separations(rows, options)) {
    ranges.get(worse)!.low += 1
    ranges.get(better)!.high -= 1
  }
  return ranges
}

function comparePair(a: RankedRow, b: RankedRow, clusterOf: (seed: number) => number): Separation {
  const common = [...a.bySeed.keys()].filter((seed) => b.bySeed.has(seed))
  const differences = clusterMeans(
    common.map((seed) => ({ cluster: clusterOf(seed), value: a.bySeed.get(seed)! - b.bySeed.get(seed)! })),
  )
  const total = differences.reduce((sum, difference) => sum + difference, 0)
  const [better, worse] = total < 0 ? [a.id, b.id] : [b.id, a.id]
  return { p: apartP(differences), better, worse }
}
