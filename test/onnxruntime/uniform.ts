/** The counter-based generator that TypeScript and Python references share (test/golden/uniform.py is its twin): entry `index`
 *  of stream `seed` is the 32-bit finalizer of MurmurHash3 of both, of which the upper 24 bits make a float32 in [0, 1). */
export const uniformAt = (seed: number, index: number): number => (hashAt(seed, index) >>> 8) / 2 ** 24

function hashAt(seed: number, index: number): number {
  let hash = Math.imul(index, 0x9e3779b1) ^ Math.imul(seed, 0x85ebca77)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

/** `count` float32 numbers in [low, high) from stream `seed`: low + u * (high - low) in double precision, then rounded. */
export const uniforms = (seed: number, count: number, low = 0, high = 1): Float32Array =>
  Float32Array.from({ length: count }, (_, index) => low + uniformAt(seed, index) * (high - low))

/** 32 random projections: projection k sums the entries with the signs that bit k of their hashes gives. */
export function sketch(seed: number, data: Float32Array): number[] {
  const sums = new Float64Array(32)
  for (let i = 0; i < data.length; i++) {
    const hash = hashAt(seed, i)
    const entry = data[i]!
    for (let k = 0; k < 32; k++) sums[k]! += entry * (1 - 2 * ((hash >>> k) & 1))
  }
  return Array.from(sums)
}

/** What a golden file keeps of a tensor (test/golden/uniform.py). */
export interface Sketched {
  shape: number[]
  norm: number
  sketch: number[]
}

/** Norm of the difference from a sketched tensor, estimated: a true relative error above 1e-4 passes for half that with
 *  probability below 1e-6. */
export function distance(seed: number, data: Float32Array, { sketch: expected }: Sketched): number {
  const squares = sketch(seed, data).map((projection, k) => (projection - expected[k]!) ** 2)
  return Math.sqrt(squares.reduce((sum, square) => sum + square) / squares.length)
}
