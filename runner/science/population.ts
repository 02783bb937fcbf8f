/** The contract of population metrics: one a file in the populations/ of its task. Each compares many unlearned models with many that
 *  never saw D_f, example by example; of one model a side it says nothing, and of few nothing but noise. Pure. */
import { MetricError, type Shuffle } from './metric.ts'
import { mean } from './statistics.ts'

export interface Populations<Look> {
  unlearned: readonly Look[]
  /** Models that never saw D_f, none of them kin to the unlearned ones. */
  retrained: readonly Look[]
}

/** One of the numbers of a metric. */
export interface PopulationPart {
  title: string
  unit: string
  /** What it is near where nothing tells the two sides apart, could there be infinitely many models. */
  ideal: number
  decimals: number
}

export interface PopulationMetric<Look = unknown> {
  title: string
  /** One sentence or two, with the formula. */
  definition: string
  /** Raised, in `named` too, when the same models give another number than before. */
  version: number
  /** What the numbers are, such as `klom/p95@1`. */
  named: string
  /** The fewest models a side that it is shown for. */
  least: number
  parts: Readonly<Record<string, PopulationPart>>
  compute(populations: Populations<Look>): Record<string, number>
}

/** What of a task's evidence such metrics look at: so much smaller that hundreds of models fit into memory. */
export interface PopulationScience<Evidence = unknown, Look = unknown> {
  look(evidence: Evidence): Look
  metrics: Readonly<Record<string, PopulationMetric<Look>>>
}

/** What a metric finds between models that are alike. */
export interface NullFloor {
  /** Models a side. */
  n: number
  draws: number
  parts: Record<string, { mean: number; low: number; high: number }>
}

/** The metric between two disjoint groups of retrained models, drawn again and again: mean and range over the draws. */
export function nullFloor<Look>(
  metric: PopulationMetric<Look>,
  retrained: readonly Look[],
  { n, draws, shuffle }: { n: number; draws: number; shuffle: Shuffle },
): NullFloor {
  if (retrained.length < 2 * n)
    throw new MetricError(
      `the floor of ${metric.named} at ${n} models a side takes ${2 * n} retrained models, got ${retrained.length}`,
    )
  const found = Array.from({ length: draws }, () => {
    const order = [...shuffle(retrained.length)].map((at) => retrained[at]!)
    return metric.compute({ unlearned: order.slice(0, n), retrained: order.slice(n, 2 * n) })
  })
  const over = (part: string) => found.map((values) => values[part]!)
  return {
    n,
    draws,
    parts: Object.fromEntries(
      Object.keys(metric.parts).map((part) => [
        part,
        { mean: mean(over(part)), low: Math.min(...over(part)), high: Math.max(...over(part)) },
      ]),
    ),
  }
}

/** The furthest from the ideal that models which are alike came out at. */
export function furthest({ parts }: NullFloor, part: string, ideal: number): number {
  const { low, high } = parts[part]!
  return Math.max(Math.abs(low - ideal), Math.abs(high - ideal))
}

/** Whether a number is no further from the ideal than those of models that are alike. */
export const isWithin = (floor: NullFloor, part: string, { value, ideal }: { value: number; ideal: number }): boolean =>
  Math.abs(value - ideal) <= furthest(floor, part, ideal)

/** Why a row has no number; null where it has one. */
export const tooFew = ({ title, least }: PopulationMetric, models: number): string | null =>
  models >= least
    ? null
    : `${title} takes at least ${least} models a side, got ${models}: with fewer it finds equal models different`
