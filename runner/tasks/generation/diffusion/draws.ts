/** What training draws on the host for one step of one term. Each step has a stream of its own, so that training goes on from any
 *  step as if it had never stopped. */
import type { Stream } from '../../../engine/nn/random.ts'

/** Antithetic timesteps: t and T − 1 − t in pairs, so that a batch covers early and late steps alike. */
export function antitheticTimesteps(random: Stream, timesteps: number, batch: number): number[] {
  const drawn = Array.from({ length: Math.floor(batch / 2) + 1 }, () => random.integer(timesteps))
  return [...drawn, ...drawn.map((t) => timesteps - 1 - t)].slice(0, batch)
}

/** Replaces a share of the labels by the null class. */
export const dropConditions = (random: Stream, labels: readonly number[], share: number, none: number): number[] =>
  labels.map((label) => (random.uniform() < share ? none : label))
