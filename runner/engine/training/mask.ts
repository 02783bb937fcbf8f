/** Masks over all parameters at once: SalUn's weight saliency (https://arxiv.org/abs/2310.12508, Eq. 3) and its controls. */
import type { Mask } from '../../science/mask.ts'
import type { RandomStream } from '../../science/method.ts'
import type { Variable } from '../nn/variables.ts'
import { sizeOf } from '../onnx/tensor.ts'

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

export interface MaskRequest {
  /** Which entries: those with the largest scores, those with the smallest, or any. */
  kind: 'saliency' | 'inverted' | 'random'
  density: number
}

/** A mask with exactly int(density * N) ones over all N entries of the parameters. `scores` gives |saliency| of every entry, in
 *  the order of the parameters; a random mask does not ask for it. */
export async function chooseMask(
  parameters: readonly Variable[],
  { kind, density }: MaskRequest,
  random: RandomStream,
  scores: () => Promise<Float32Array>,
): Promise<Mask> {
  const total = parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  const ones = onesOf(density, total)
  let chosen: Uint8Array
  if (kind === 'random') chosen = randomChoice(random, total, ones)
  else {
    const found = await scores()
    chosen = largest(kind === 'inverted' ? found.map((score) => -score) : found, ones)
  }
  return new Map(inOrder(parameters, chosen))
}

/** Cuts a flat array over all parameters into one part for each. */
export function inOrder<T extends Uint8Array | Float32Array>(parameters: readonly Variable[], flat: T): [string, T][] {
  let offset = 0
  return parameters.map(({ name, shape }) => {
    const part = flat.subarray(offset, offset + sizeOf(shape)) as T
    offset += sizeOf(shape)
    return [name, part]
  })
}

/** Absolute sums of gradients as one flat array, in the order of the parameters. */
export function absoluteScores(sums: readonly Float32Array[]): Float32Array {
  const scores = new Float32Array(sums.reduce((total, { length }) => total + length, 0))
  let offset = 0
  for (const sum of sums) {
    for (let i = 0; i < sum.length; i++) scores[offset + i] = Math.abs(sum[i]!)
    offset += sum.length
  }
  return scores
}

/** The entries of one parameter. */
export function maskOf(mask: Mask, name: string): Uint8Array {
  const entries = mask.get(name)
  if (!entries) throw new Error(`the mask has no entry for ${name}; it covers ${[...mask.keys()].join(', ')}`)
  return entries
}
