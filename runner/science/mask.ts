/** Masks over all parameters at once: SalUn's weight saliency (https://arxiv.org/abs/2310.12508, Eq. 3) and its controls. */
import { flatten, type Parameter, unflatten, type Weights } from './weights.ts'

/** Which weights may move: one 0 or 1 per entry of every parameter tensor, by parameter name. */
export type Mask = ReadonlyMap<string, Uint8Array>

/** Which entries may move: those with the largest scores, those with the smallest, or any. */
export type MaskChoice = 'saliency' | 'inverted' | 'random'

/** Exactly this many ones: int(density * N), as in the paper's code. */
export const onesOf = (density: number, total: number): number => Math.floor(density * total)

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
export function randomChoice(
  random: { shuffle(items: Int32Array): Int32Array },
  total: number,
  count: number,
): Uint8Array {
  const chosen = new Uint8Array(total)
  const order = random.shuffle(Int32Array.from({ length: total }, (_, i) => i))
  for (const position of order.subarray(0, count)) chosen[position] = 1
  return chosen
}

/** A mask with exactly int(density * N) ones over all N entries, by a score of every entry: the largest |score| of any method's
 *  making, or the smallest. */
export function maskByScore(
  scores: Weights,
  { density, kind = 'saliency' }: { density: number; kind?: Exclude<MaskChoice, 'random'> },
): Mask {
  const flat = flatten(scores).map(kind === 'inverted' ? (score) => -Math.abs(score) : Math.abs)
  const parameters = [...scores].map(([name, { length }]) => ({ name, size: length }))
  return unflatten(parameters, largest(flat, onesOf(density, flat.length)))
}

/** A mask with as many ones at random places. */
export function randomMask(
  parameters: readonly Parameter[],
  density: number,
  random: { shuffle(items: Int32Array): Int32Array },
): Mask {
  const total = parameters.reduce((sum, { size }) => sum + size, 0)
  return unflatten(parameters, randomChoice(random, total, onesOf(density, total)))
}

/** The entries of one parameter. */
export function maskOf(mask: Mask, name: string): Uint8Array {
  const entries = mask.get(name)
  if (!entries) throw new Error(`the mask has no entry for ${name}; it covers ${[...mask.keys()].join(', ')}`)
  return entries
}
