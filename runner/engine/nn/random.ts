/** Everything random comes from one seed, split by purpose, so that adding a draw in one place moves nothing elsewhere. */
import { createHash } from 'node:crypto'
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus'

export interface Stream {
  /** Uniform integer in [0, bound). */
  integer(bound: number): number
  /** A new array with the same entries in uniformly random order. */
  shuffle(items: Int32Array): Int32Array
  /** Uniform in [0, 1). */
  uniform(): number
  /** Standard normal. */
  normal(): number
  /** Where the stream stands; after `restore` it goes on from there. */
  state(): readonly number[]
  restore(state: readonly number[]): void
}

/** The stream of one purpose of one seed: xoroshiro128+ started from SHA-256(`seed/purpose`). */
export function randomStream(seed: number, purpose: string): Stream {
  const digest = createHash('sha256').update(`${seed}/${purpose}`).digest()
  let generator = xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => digest.readInt32LE(offset)))
  const uniform = () => uniformFloat64(generator)
  const integer = (bound: number) => uniformInt(generator, 0, bound - 1)
  return {
    uniform,
    integer,
    state: () => generator.getState(),
    restore(state) {
      generator = xoroshiro128plusFromState(state)
    },
    /** Box and Muller's transform. */
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    /** Fisher and Yates's shuffle. */
    shuffle(items) {
      const shuffled = items.slice()
      for (let last = shuffled.length - 1; last > 0; last--) {
        const other = integer(last + 1)
        const held = shuffled[last]!
        shuffled[last] = shuffled[other]!
        shuffled[other] = held
      }
      return shuffled
    },
  }
}

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
