/** Everything random comes from one seed, split by purpose, so that adding a draw in one place moves nothing elsewhere. */
import { createHash } from 'node:crypto'
import { purposeText, type Stream, streamFrom } from '../../science/stream.ts'

export type { Stream } from '../../science/stream.ts'

/** The stream of one purpose of one seed: xoroshiro128+ started from SHA-256(`seed/purpose`). */
export const randomStream = (seed: number, purpose: string): Stream =>
  streamFrom(createHash('sha256').update(purposeText(seed, purpose)).digest())

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
