/** Random numbers from 32 bytes of seed, the same wherever they are drawn. Pure; runner/engine/nn/random.ts seeds them by purpose. */
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

/** What is hashed for the stream of one purpose of one seed. */
export const purposeText = (seed: number, purpose: string): string => `${seed}/${purpose}`

/** xoroshiro128+ from the first half of a SHA-256. */
export function streamFrom(digest: Uint8Array): Stream {
  const words = new DataView(digest.buffer, digest.byteOffset, digest.byteLength)
  let generator = xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => words.getInt32(offset, true)))
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

/** Orders for metrics. No seed of a run: a metric is a function of its evidence alone. */
export const METRIC_SEED = 0
export const metricPurpose = (purpose: string): string => `metrics/${purpose}`
export const shuffleOf =
  (stream: Stream) =>
  (count: number): Int32Array =>
    stream.shuffle(Int32Array.from(Array(count).keys()))
