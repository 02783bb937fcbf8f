/** Whether a stored file is the safetensors that it should be. Its header is read by a range and the rest as a stream, so that a file
 *  of any size needs little memory. */
import { type Entry, readHeader } from '../../../runner/formats/safetensors.ts'
import type { TensorShapes } from '../../../runner/science/task.ts'

/** Of the largest model here it is some 30 thousand. */
const MOST_HEADER_BYTES = 2 ** 20
const NAMED_AT_MOST = 3

/** Throws SafetensorsError for what is none; else tells what is wrong, or null. Without `expected` its tensors may be any. */
export async function tensorProblem(
  store: R2Bucket,
  { path, bytes }: { path: string; bytes: number },
  expected: TensorShapes | null,
): Promise<string | null> {
  const read = async (offset: number, length: number) => new Uint8Array(await stored(store, path, { offset, length }))
  const { entries, start } = await readHeader(read, { bytes, most: MOST_HEADER_BYTES })
  const strange = expected && shapeProblem(entries, expected)
  if (strange || start === bytes) return strange
  const object = await store.get(path, { range: { offset: start, length: bytes - start } })
  return object ? infinityIn(object.body, entries) : gone(path)
}

async function stored(store: R2Bucket, path: string, range: R2Range): Promise<ArrayBuffer> {
  const object = await store.get(path, { range })
  return object ? object.arrayBuffer() : gone(path)
}

function gone(path: string): never {
  throw new Error(`the object ${path} is missing in storage`)
}

function shapeProblem(entries: Entry[], expected: TensorShapes): string | null {
  const missing = Object.keys(expected).filter((name) => !entries.some((entry) => entry.name === name))
  const unknown = entries.map(({ name }) => name).filter((name) => !Object.hasOwn(expected, name))
  if (missing.length > 0) return `expected the tensor ${listed(missing)}, got ${listed(unknown) || 'none'}`
  if (unknown.length > 0) return `expected ${Object.keys(expected).length} tensors, got ${listed(unknown)} as well`
  for (const { name, dtype, shape } of entries) {
    const wanted = expected[name]!
    const fits =
      wanted.shape.length === shape.length && wanted.shape.every((size, i) => (size ?? shape[i]) === shape[i])
    if (fits && wanted.dtype === dtype) continue
    const sizes = wanted.shape.map((size) => size ?? '*').join(', ')
    return `expected ${name} as ${wanted.dtype} [${sizes}], got ${dtype} [${shape.join(', ')}]`
  }
  return null
}

const listed = (names: string[]): string =>
  names.slice(0, NAMED_AT_MOST).join(', ') +
  (names.length > NAMED_AT_MOST ? ` and ${names.length - NAMED_AT_MOST} more` : '')

/** The first number of a float tensor that is none, such as NaN. */
async function infinityIn(data: ReadableStream<Uint8Array>, entries: Entry[]): Promise<string | null> {
  let [at, index, before] = [0, 0, 0]
  for await (const piece of data) {
    for (let from = 0; from < piece.length; ) {
      while (entries[index]!.end <= at) index += 1
      const { name, dtype, begin, end } = entries[index]!
      const part = piece.subarray(from, from + end - at)
      const found = dtype === 'F32' ? infinityAt(part, at - begin, before) : -1
      if (found >= 0) return `expected finite numbers, got another in ${name} (entry ${found})`
      at += part.length
      from += part.length
      before = part.at(-1)!
    }
  }
  return null
}

/** Which number of a tensor has an exponent of ones, in the bytes of it from `offset` on; -1 for none. A number may lie across two
 *  pieces, so it is judged by its last two bytes. */
function infinityAt(bytes: Uint8Array, offset: number, before: number): number {
  for (let i = 3 - (offset % 4); i < bytes.length; i += 4) {
    const low = i > 0 ? bytes[i - 1]! : before
    if ((bytes[i]! & 0x7f) === 0x7f && low & 0x80) return (offset + i - 3) / 4
  }
  return -1
}
