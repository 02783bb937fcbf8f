/** Lists of examples by their positions in a training set. A list is a set: it is kept in order, and named by the SHA-256 of its
 *  positions as 32-bit little-endian integers, whatever file they came in. */
import { sha256Hex } from './hash.ts'

/** Throws RangeError for a position that is none, came twice, or is missing altogether; in words. */
export function indexListOf(positions: Iterable<number | bigint>): Int32Array<ArrayBuffer> {
  const found: number[] = []
  for (const position of positions) {
    const value = Number(position)
    if (!Number.isInteger(value) || value < 0 || value > 0x7fffffff)
      throw new RangeError(`expected positions in the training set, whole numbers from 0, got ${position}`)
    found.push(value)
  }
  if (found.length === 0) throw new RangeError('expected at least one position, got none')
  const list = Int32Array.from(found).sort()
  const twice = list.findIndex((value, i) => i > 0 && list[i - 1] === value)
  if (twice >= 0) throw new RangeError(`expected every position once, got ${list[twice]} twice`)
  return list
}

/** What names a list. */
export function indexListHash(list: Int32Array): Promise<string> {
  const bytes = new DataView(new ArrayBuffer(4 * list.length))
  for (const [i, position] of list.entries()) bytes.setInt32(4 * i, position, true)
  return sha256Hex(new Uint8Array(bytes.buffer))
}
