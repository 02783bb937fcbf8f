/** Facts of one run beside retrain of the same seed: boards, pages and the command line all take them from here. */
import type { Seconds } from '../../schema/result.ts'
import { avgGap, clusterMeans, mean } from './statistics.ts'

type Values = Readonly<Record<string, number>>

/** Of the seeds that were measured, those that a board counts: the benchmark's own, in their order, and the whole numbers that follow
 *  them, up to the first that was not measured. So nobody chooses the best. */
export function countedSeeds(own: readonly number[], measured: readonly { seed: number }[]): Set<number> {
  const have = new Set(measured.map(({ seed }) => seed))
  const counted = new Set<number>()
  for (let place = 0; ; place++) {
    const seed = own[place] ?? Math.max(...own) + place - own.length + 1
    if (!have.has(seed)) return counted
    counted.add(seed)
  }
}

/** The stage that made a run's model: its unlearning, or the training that its method is, which is the first of a plan. */
export const makerOf = <Stage extends { kind: string }>(stages: Stage[]): Stage | undefined =>
  stages.find(({ kind }) => kind === 'unlearn') ?? stages.find(({ kind }) => kind === 'train')

/** Seconds that making a model took: set-up, mask and unlearning, or set-up and training. */
export const secondsOf = ({ setUp, train = 0, mask = 0, unlearn = 0 }: Seconds): number =>
  setUp + train + mask + unlearn

/** Signed: value − retrain's, of each metric that both have. */
export const gapsOf = (values: Values, retrain: Values = {}): Record<string, number> =>
  Object.fromEntries(
    Object.entries(values).flatMap(([id, value]) => {
      const reference = retrain[id]
      return reference === undefined ? [] : [[id, value - reference]]
    }),
  )

/** Avg. Gap: mean |value − retrain's| over the metrics that are better the closer they are to retrain and not shown beside it, since
 *  distances and shares have no common unit. Null where there is none, or where a side lacks one. */
export function avgGapOf(values: Values, retrain: Values | undefined, closerToRetrain: string[]): number | null {
  const sides = [values, retrain ?? {}].map((side) => {
    const entries = closerToRetrain.flatMap((id): [string, number][] =>
      side[id] === undefined ? [] : [[id, side[id]]],
    )
    return entries.length === closerToRetrain.length ? Object.fromEntries(entries) : null
  })
  const [own, reference] = sides
  return own && reference && closerToRetrain.length > 0 ? avgGap(own, reference) : null
}

/** Gap of means, as papers' tables have it: mean over the same metrics of |mean value − retrain's mean value| over the seeds that have
 *  all of them on both sides, those of a cluster first; a seed without one is by itself. What differs in sign from seed to seed
 *  cancels out here and not in Avg. Gap, so it is never the larger one. Null where no seed has them. */
export function gapOfMeans(
  seeds: { values: Values; retrain: Values | undefined; cluster?: number }[],
  closerToRetrain: string[],
): number | null {
  const compared = seeds.filter(({ values, retrain }) => avgGapOf(values, retrain, closerToRetrain) !== null)
  if (compared.length === 0) return null
  const meansOf = (side: (seed: (typeof compared)[number]) => Values) => {
    const meanOf = (id: string) =>
      mean(clusterMeans(compared.map((seed, own) => ({ cluster: seed.cluster ?? own, value: side(seed)[id]! }))))
    return Object.fromEntries(closerToRetrain.map((id) => [id, meanOf(id)]))
  }
  return avgGap(
    meansOf(({ values }) => values),
    meansOf(({ retrain }) => retrain!),
  )
}

/** Time over retrain's with the same seed; null on another device class. */
export const fractionOfRetrain = (
  own: { seconds: number; deviceClass: string },
  retrain: { seconds: number; deviceClass: string } | undefined,
): number | null =>
  retrain && retrain.deviceClass === own.deviceClass && retrain.seconds > 0 ? own.seconds / retrain.seconds : null
