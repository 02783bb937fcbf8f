/** KLOM's divergence between two groups of numbers: histograms over their joint range. The definition is that of EasyDUB's and
 *  data-unlearning-bench's code, which differ from each other in direction. */
import type { Populations } from '../../../population.ts'
import { quantile } from '../../../statistics.ts'
import { pairsOfRows, type Shadow } from './shadow.ts'

const BINS = 20
const FARTHEST = 100
/** What a share of the second group is taken for at least, where the first has any: the ceiling is -ln of it. */
const FLOOR = 1e-5

export interface BinChoices {
  /** Whether what lies on the right edge, the largest number of both groups, is in the last bin; released code drops it. */
  closed?: boolean
}

/** Σ p ln(p / q) over 20 equal bins from the smallest to the largest of all numbers, clipped to ±100. */
export function binnedDivergence(
  first: Float64Array,
  second: Float64Array,
  { closed = true }: BinChoices = {},
): number {
  const clip = (value: number) => Math.min(FARTHEST, Math.max(-FARTHEST, value))
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const values of [first, second]) {
    for (const value of values) {
      low = Math.min(low, clip(value))
      high = Math.max(high, clip(value))
    }
  }
  if (low >= high) high = low + 1
  const edges = Float64Array.from({ length: BINS + 1 }, (_, at) =>
    at === BINS ? high : low + (at * (high - low)) / BINS,
  )
  const shares = (values: Float64Array) => {
    const counts = new Float64Array(BINS)
    let total = 0
    for (const value of values) {
      const bin = binOf(clip(value), edges)
      if (bin === BINS && !closed) continue
      counts[Math.min(bin, BINS - 1)]! += 1
      total += 1
    }
    return total > 0 ? counts.map((count) => count / total) : counts
  }
  const [p, q] = [shares(first), shares(second)]
  let divergence = 0
  for (let bin = 0; bin < BINS; bin++) {
    if (p[bin]! > 0) divergence += p[bin]! * Math.log(p[bin]! / Math.max(q[bin]!, FLOOR))
  }
  return divergence
}

/** The last edge that is not above the value; the rounded quotient may be one off. */
function binOf(value: number, edges: Float64Array): number {
  let bin = Math.floor(((value - edges[0]!) / (edges[BINS]! - edges[0]!)) * BINS)
  while (bin > 0 && value < edges[bin]!) bin -= 1
  while (bin < BINS && value >= edges[bin + 1]!) bin += 1
  return bin
}

/** The 95th percentile over the examples of each set, as KLOM is reported. */
export function klomBySet(
  populations: Populations<Shadow>,
  divergence: (unlearned: Float64Array, retrained: Float64Array) => number,
): Record<string, number> {
  return Object.fromEntries(
    (['forget', 'retain', 'test'] as const).map((set) => [
      set,
      quantile(
        pairsOfRows(populations, set).map(([unlearned, retrained]) => divergence(unlearned, retrained)),
        0.95,
      ),
    ]),
  )
}

const part = (title: string) => ({ title, unit: 'nats', ideal: 0, decimals: 2 })
export const klomParts = { forget: part('on D_f'), retain: part('on D_r'), test: part('on test') }

/** How many models a side KLOM takes: with fewer, its floor is above 1.5. */
export const KLOM_LEAST = 64
