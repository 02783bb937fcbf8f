/** The counter-based generator that TypeScript and Python references share (test/golden/uniform.py is its twin): entry `index`
 *  of stream `seed` is the 32-bit finalizer of MurmurHash3 of both, of which the upper 24 bits make a float32 in [0, 1). */
export function uniformAt(seed: number, index: number): number {
  let hash = Math.imul(index, 0x9e3779b1) ^ Math.imul(seed, 0x85ebca77)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 8) / 2 ** 24
}

/** `count` float32 numbers in [low, high) from stream `seed`: low + u * (high - low) in double precision, then rounded. */
export const uniforms = (seed: number, count: number, low = 0, high = 1): Float32Array =>
  Float32Array.from({ length: count }, (_, index) => low + uniformAt(seed, index) * (high - low))
