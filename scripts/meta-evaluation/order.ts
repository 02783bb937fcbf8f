/** Whether a metric puts known models in their known order, and what it finds between retrained ones. */

import type { Limit } from '../../runner/science/limits.ts'
import { mean, quantile } from '../../runner/science/statistics.ts'
import type { Stream } from '../../runner/science/stream.ts'

export const kinds = ['again', 'original', 'noise', 'random'] as const
export type Kind = (typeof kinds)[number]
const DRAWS = 2000

/** What n retrained models come out at from n others, at most in 95 of 100 draws; null where so few can't be asked. */
export interface Floor {
  n: number
  floor: number | null
  /** How far the original comes out by n models, of a metric that this depends on. */
  original?: number
}

export interface Judged {
  /** How far each kind comes out from retrain. */
  distances: Record<Kind, number>
  floors: Floor[]
  limits: Limit[]
  /** From so many models on the original is told from retrain. */
  from: number | null
}

/** By one number of each model: distances are between means, floors those of groups drawn with replacement from all retrained ones. */
export function judgeValues(values: Record<Kind | 'retrain', number[]>, sizes: number[], random: Stream): Judged {
  const centre = mean(values.retrain)
  const pool = [...values.retrain.map((value) => value - centre), ...centred(values.again)]
  const drawn = (n: number) => mean(Array.from({ length: n }, () => pool[random.integer(pool.length)]!))
  const floorAt = (n: number) =>
    quantile(
      Array.from({ length: DRAWS }, () => Math.abs(drawn(n) - drawn(n))),
      0.95,
    )
  return judged(
    distancesOf((kind) => Math.abs(mean(values[kind]) - centre)),
    sizes.map((n) => ({ n, floor: floorAt(n) })),
    floorAt(values.again.length),
  )
}

/** By one number of each pair of a model and a retrained one, which is `ideal` between equal models. */
export function judgePairs(values: Record<Kind, number[]>, ideal: number, sizes: number[], random: Stream): Judged {
  const away = (pairs: number[]) => Math.abs(mean(pairs) - ideal)
  const drawn = (n: number) => Array.from({ length: n }, () => values.again[random.integer(values.again.length)]!)
  const floorAt = (n: number) =>
    quantile(
      Array.from({ length: DRAWS }, () => away(drawn(n))),
      0.95,
    )
  return judged(
    distancesOf((kind) => away(values[kind])),
    sizes.map((n) => ({ n, floor: floorAt(n) })),
    floorAt(values.again.length),
  )
}

/** `own` is the floor of as many models as the distances are of: what lies below it is not told from retrain. */
export function judged(distances: Record<Kind, number>, floors: Floor[], own: number): Judged {
  const { original, noise, random } = distances
  const found: Limit[] = []
  if (original <= own) found.push('original')
  if (noise <= own) found.push('noise')
  if (random <= Math.max(original, own)) found.push('random')
  const told = floors.map(({ floor, original: at = original }) => floor !== null && at > floor)
  const from = told.lastIndexOf(false) + 1
  return { distances, floors, limits: found, from: original <= own ? null : (floors[from]?.n ?? null) }
}

export const distancesOf = (of: (kind: Kind) => number) =>
  Object.fromEntries(kinds.map((kind) => [kind, of(kind)])) as Record<Kind, number>

const centred = (values: number[]): number[] => {
  const centre = mean(values)
  return values.map((value) => value - centre)
}
