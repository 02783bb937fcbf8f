/** Halton's points: fill a cube evenly however many of them are taken, so that a search that goes on tries nothing twice. */

/** Bases of the dimensions: beyond the first few, points of large bases march along diagonals for long. */
const PRIMES = [2, 3, 5, 7, 11, 13, 17, 19] as const
export const MOST_DIMENSIONS = PRIMES.length

/** Coordinate of the point `number`, counted from 1, in (0, 1): its digits in the dimension's base, mirrored at the point. */
export function halton(number: number, dimension: number): number {
  const base = PRIMES[dimension]!
  let [value, part] = [0, 1]
  for (let rest = number; rest > 0; rest = Math.floor(rest / base)) {
    part /= base
    value += part * (rest % base)
  }
  return value
}
