/** The IDX format of MNIST and its relatives: 0, 0, type (8 = unsigned byte), rank, then big-endian sizes, then data. */
import { DatasetError } from '../../science/dataset.ts'

const UNSIGNED_BYTE = 0x08

/** Data of an IDX file of unsigned bytes with exactly the expected shape; `name` is for error messages. */
export function parseIdx(bytes: Uint8Array, shape: number[], name: string): Uint8Array {
  const header = 4 + 4 * shape.length
  const fail = (what: string): never => {
    throw new DatasetError(`${name}: ${what}; get the official file again, or check how it was made`)
  }
  if (bytes.length < header) fail(`expected an IDX file of at least ${header} bytes, got ${bytes.length}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const magic = view.getUint32(0)
  const expected = (UNSIGNED_BYTE << 8) | shape.length
  if (magic !== expected) fail(`expected the IDX magic number ${expected}, got ${magic}`)
  const sizes = shape.map((_, axis) => view.getUint32(4 + 4 * axis))
  if (sizes.join() !== shape.join()) fail(`expected the shape [${shape.join(', ')}], got [${sizes.join(', ')}]`)
  const length = shape.reduce((product, size) => product * size, 1)
  if (bytes.length !== header + length) {
    fail(`expected ${length} bytes of data after the header, got ${bytes.length - header}`)
  }
  return bytes.subarray(header)
}

/** The reverse of `parseIdx`. */
export function buildIdx(data: Uint8Array, shape: number[]): Uint8Array {
  const header = 4 + 4 * shape.length
  const bytes = new Uint8Array(header + data.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, (UNSIGNED_BYTE << 8) | shape.length)
  shape.forEach((size, axis) => {
    view.setUint32(4 + 4 * axis, size)
  })
  bytes.set(data, header)
  return bytes
}
