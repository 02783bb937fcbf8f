/** What training draws on the host for one step of one term. Each step has a stream of its own, so that training goes on from any
 *  step as if it had never stopped. */
import { randomStream, type Stream } from '../../../engine/nn/random.ts'

/** Antithetic timesteps: t and T − 1 − t in pairs, so that a batch covers early and late steps alike. */
export function antitheticTimesteps(random: Stream, timesteps: number, batch: number): number[] {
  const drawn = Array.from({ length: Math.floor(batch / 2) + 1 }, () => random.integer(timesteps))
  return [...drawn, ...drawn.map((t) => timesteps - 1 - t)].slice(0, batch)
}

/** Replaces a share of the labels by the null class. */
export const dropConditions = (random: Stream, labels: readonly number[], share: number, none: number): number[] =>
  labels.map((label) => (random.uniform() < share ? none : label))

/** Gives position p of an endless pass over `count` items, reshuffled each time it begins anew. */
export function endlessOrder(seed: number, purpose: string, count: number): (position: number) => number {
  let known = -1
  let order: Int32Array = new Int32Array(0)
  return (position) => {
    const round = Math.floor(position / count)
    if (round !== known) {
      order = randomStream(seed, `${purpose}/order/${round}`).shuffle(Int32Array.from({ length: count }, (_, i) => i))
      known = round
    }
    return order[position % count]!
  }
}
