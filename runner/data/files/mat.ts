/** MATLAB's files of version 5 (MAT-File Format, R2023b): a header of 128 bytes, then elements, each a type, a length and data, as a rule
 *  packed by zlib. Of arrays only those of plain real numbers are read. The one reader on npm that knows packed files comes under a
 *  licence that ours cannot take along. */
import { inflateSync } from 'node:zlib'
import { DatasetError } from '../../science/dataset.ts'

export interface MatArray {
  shape: number[]
  /** Column-major, as MATLAB has it. */
  data: ArrayLike<number>
}

const HEADER = 128
/** Types of elements. */
const [MATRIX, COMPRESSED] = [14, 15]
/** Classes of arrays of numbers: double, single and integers up to 32 bits. */
const [FIRST_CLASS, LAST_CLASS] = [6, 13]
/** In the flags of an array. */
const [COMPLEX, LOGICAL_AND_CLASS] = [0x0800, 0xff]

/** Numbers as they are stored: an array of doubles that are small whole numbers lies as bytes. */
const decoders: Record<number, (bytes: ArrayBuffer) => ArrayLike<number>> = {
  1: (bytes) => new Int8Array(bytes),
  2: (bytes) => new Uint8Array(bytes),
  3: (bytes) => new Int16Array(bytes),
  4: (bytes) => new Uint16Array(bytes),
  5: (bytes) => new Int32Array(bytes),
  6: (bytes) => new Uint32Array(bytes),
  7: (bytes) => new Float32Array(bytes),
  9: (bytes) => new Float64Array(bytes),
}

interface Element {
  type: number
  data: Uint8Array
  /** Where the next one begins. */
  next: number
}

/** Arrays by name. Throws DatasetError, with `path`; `maxBytes` is the most that one of them may unpack to. */
export function readMat(
  bytes: Uint8Array,
  { path, maxBytes }: { path: string; maxBytes: number },
): Map<string, MatArray> {
  const fail: Fail = (message) => {
    throw new DatasetError(`${path}: ${message}`)
  }
  if (bytes.length < HEADER) fail(`expected a MATLAB file of at least ${HEADER} bytes, got ${bytes.length}`)
  // "MI" as a big-endian number of two bytes: written by a little-endian machine, it reads "IM".
  const [version, order] = [bytes[125], String.fromCharCode(bytes[126]!, bytes[127]!)]
  if (version !== 1 || order !== 'IM')
    fail('expected a little-endian MATLAB file of version 5; save it with save -v7, or scipy.io.savemat')
  const arrays = new Map<string, MatArray>()
  for (let at = HEADER; at < bytes.length; ) {
    const outer = elementAt(bytes, at, { packed: true, fail })
    at = outer.next
    const { type, data } =
      outer.type === COMPRESSED ? elementAt(unpacked(outer.data, maxBytes, fail), 0, { packed: false, fail }) : outer
    if (type !== MATRIX) fail(`expected arrays, got an element of type ${type}`)
    const { name, array } = arrayIn(data, fail)
    arrays.set(name, array)
  }
  return arrays
}

type Fail = (message: string) => never

function unpacked(data: Uint8Array, maxBytes: number, fail: Fail): Uint8Array {
  try {
    return inflateSync(data, { maxOutputLength: maxBytes + 1024 })
  } catch (error) {
    return fail(`an array cannot be unpacked: ${(error as Error).message}`)
  }
}

/** Up to four bytes lie within the tag itself; everything but packed elements is filled up to eight bytes. */
function elementAt(bytes: Uint8Array, at: number, { packed, fail }: { packed: boolean; fail: Fail }): Element {
  const cut = (): never => fail(`the file is cut off at byte ${bytes.length}`)
  if (at + 8 > bytes.length) cut()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const first = view.getUint32(at, true)
  const small = first >>> 16
  if (small > 0) {
    if (small > 4) fail(`expected at most 4 bytes in a short element, got ${small}`)
    return { type: first & 0xffff, data: bytes.subarray(at + 4, at + 4 + small), next: at + 8 }
  }
  const length = view.getUint32(at + 4, true)
  const end = at + 8 + length
  if (end > bytes.length) cut()
  const filled = packed && first === COMPRESSED ? end : at + 8 + Math.ceil(length / 8) * 8
  return { type: first, data: bytes.subarray(at + 8, end), next: filled }
}

/** Flags, sizes, name, numbers. */
function arrayIn(bytes: Uint8Array, fail: Fail): { name: string; array: MatArray } {
  const parts: Element[] = []
  for (let at = 0; at < bytes.length && parts.length < 4; at = parts.at(-1)!.next) {
    parts.push(elementAt(bytes, at, { packed: false, fail }))
  }
  const [flags, sizes, called, numbers] = parts
  if (!flags || !sizes || !called || flags.data.length !== 8)
    return fail('expected an array with flags, sizes and a name')
  const name = Buffer.from(called.data).toString('latin1')
  const word = new DataView(flags.data.buffer, flags.data.byteOffset).getUint32(0, true)
  const kind = word & LOGICAL_AND_CLASS
  if (kind < FIRST_CLASS || kind > LAST_CLASS || word & COMPLEX || !numbers)
    return fail(`${name}: expected an array of real numbers, got one of MATLAB's class ${kind}`)
  const shape = Array.from(new Int32Array(copied(sizes.data)))
  const decode = decoders[numbers.type]
  if (!decode) return fail(`${name}: expected plain numbers, got the type ${numbers.type}`)
  if (numbers.data.length % widthOf(numbers.type) !== 0) return fail(`${name}: its numbers are cut off`)
  const data = decode(copied(numbers.data))
  const size = shape.reduce((product, extent) => product * extent, 1)
  if (shape.some((extent) => extent < 0) || data.length !== size)
    return fail(`${name}: expected ${size} numbers for [${shape.join(', ')}], got ${data.length}`)
  return { name, array: { shape, data } }
}

const widthOf = (type: number): number => (type <= 2 ? 1 : type <= 4 ? 2 : type <= 7 ? 4 : 8)

/** A plain copy: typed arrays need their bytes aligned. */
const copied = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer
