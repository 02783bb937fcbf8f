/** Masks over all parameters at once: SalUn's weight saliency (https://arxiv.org/abs/2310.12508, Eq. 3) and its controls. */
import type { RandomStream } from '../method.ts'

/** Positions of the `count` largest scores; equal scores go to the earlier position. */
export function largest(scores: Float32Array, count: number): Uint8Array {
  const chosen = new Uint8Array(scores.length)
  if (count === 0) return chosen
  const threshold = Float32Array.from(scores).sort()[scores.length - count]!
  let left = count
  for (let i = 0; i < scores.length; i++) {
    if (scores[i]! > threshold) {
      chosen[i] = 1
      left--
    }
  }
  for (let i = 0; left > 0; i++) {
    if (scores[i] === threshold) {
      chosen[i] = 1
      left--
    }
  }
  return chosen
}

/** A uniformly random choice of `count` of `total` positions. */
export function randomChoice(random: RandomStream, total: number, count: number): Uint8Array {
  const chosen = new Uint8Array(total)
  const order = random.shuffle(Int32Array.from({ length: total }, (_, i) => i))
  for (const position of order.subarray(0, count)) chosen[position] = 1
  return chosen
}

/** Exactly this many ones: int(density * N), as in the paper's code. */
export const onesOf = (density: number, total: number): number => Math.floor(density * total)
