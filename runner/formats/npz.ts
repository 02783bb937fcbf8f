/** numpy's .npz: a zip archive of .npy files (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). Pure;
 *  fflate reads the archive, which is small, has no dependencies and knows the 64-bit entries that numpy writes. */
import { unzipSync } from 'fflate'
import type { Arrays, NumberArray } from './arrays.ts'
import { ArraysError, decoders, type Numbers } from './numbers.ts'

/** Arrays without dimensions, such as numbers and strings given to `savez`, are facts. */
export function readNpz(bytes: Uint8Array): Arrays {
  const found: Arrays = { arrays: new Map(), facts: new Map() }
  for (const [file, content] of Object.entries(unzipped(bytes))) {
    const name = file.replace(/\.npy$/, '')
    if (name === file)
      throw new ArraysError(`expected .npy files in the archive, got ${file}; save it with numpy.savez`)
    const parts = npyOf(content, name)
    const { type, shape } = parts
    if (shape.length === 0 && type.startsWith('<U')) found.facts.set(name, textOf(parts.body))
    else {
      const array = arrayOf(parts, name)
      if (shape.length === 0) found.facts.set(name, String(array.data[0]))
      else found.arrays.set(name, array)
    }
  }
  return found
}

/** One .npy file; errors call it `name`. */
export const readNpy = (bytes: Uint8Array, name: string): NumberArray => arrayOf(npyOf(bytes, name), name)

/** A .npy file of one dimension, version 1.0: its header is filled up with spaces, so that the data begin at a multiple of 64. */
export function writeNpy(data: Int32Array): Uint8Array<ArrayBuffer> {
  const facts = `{'descr': '<i4', 'fortran_order': False, 'shape': (${data.length},), }`
  const header = `${facts.padEnd(64 * Math.ceil((facts.length + 11) / 64) - 11)}\n`
  const bytes = new Uint8Array(10 + header.length + data.byteLength)
  bytes.set(Uint8Array.from(`${MAGIC}\x01\x00`, (character) => character.charCodeAt(0)))
  new DataView(bytes.buffer).setUint16(8, header.length, true)
  bytes.set(new TextEncoder().encode(header), 10)
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + header.length)
  return bytes
}

function unzipped(bytes: Uint8Array): Record<string, Uint8Array> {
  try {
    return unzipSync(bytes)
  } catch (error) {
    throw new ArraysError(`expected an .npz archive: ${(error as Error).message}; it is cut off or damaged`)
  }
}

const MAGIC = '\x93NUMPY'

function npyOf(bytes: Uint8Array, name: string): Npy {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const latin = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to))
  if (latin(0, 6) !== MAGIC || bytes.length < 12)
    throw new ArraysError(`${name}: expected a .npy array, got another file`)
  // Version 1 has two bytes for the length of its header, later ones four.
  const start = view.getUint8(6) === 1 ? 10 : 12
  const end = start + (start === 10 ? view.getUint16(8, true) : view.getUint32(8, true))
  const header = latin(start, end)
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1]
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1]
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1]
  if (type === undefined || order === undefined || shape === undefined) {
    throw new ArraysError(`${name}: expected an array of numbers, got ${header.trim().slice(0, 200)}`)
  }
  const sizes = shape.split(',').filter((size) => size.trim() !== '')
  return {
    type,
    shape: sizes.map(Number),
    order: order === 'True' ? 'columns' : 'rows',
    // A plain copy: typed arrays need their bytes aligned.
    body: new Uint8Array(bytes.subarray(end)),
  }
}

interface Npy {
  type: string
  shape: number[]
  order: 'rows' | 'columns'
  body: Uint8Array<ArrayBuffer>
}

const arrayOf = (npy: Npy, name: string): NumberArray => ({
  type: npy.type,
  shape: npy.shape,
  data: inRows(numbersOf(npy, name), npy.shape, npy.order),
})

function numbersOf({ type, shape, body }: Npy, name: string) {
  if (!Object.hasOwn(decoders.numpy, type)) {
    const remedy = type === '|O' ? '; these are Python objects: save plain arrays' : ''
    throw new ArraysError(`${name}: expected one of ${Object.keys(decoders.numpy).join(', ')}, got ${type}${remedy}`)
  }
  const size = shape.reduce((product, size) => product * size, Number(type.slice(2)))
  if (body.length !== size) throw new ArraysError(`${name}: expected ${size} bytes of ${type}, got ${body.length}`)
  return decoders.numpy[type as keyof typeof decoders.numpy](body.buffer)
}

/** Whole code points of four bytes, filled up with zeros. */
const textOf = (body: Uint8Array<ArrayBuffer>): string =>
  String.fromCodePoint(...new Uint32Array(body.buffer)).replace(/\0+$/, '')

/** Entries row by row, where a file has them column by column. */
function inRows<Data extends Numbers>(data: Data, shape: number[], order: 'rows' | 'columns'): Data {
  if (order === 'rows' || shape.length < 2) return data
  const turned = data.slice() as Data
  const strides = shape.map((_, at) => shape.slice(0, at).reduce((product, size) => product * size, 1))
  const place = shape.map(() => 0)
  for (let i = 0; i < data.length; i++) {
    turned[i] = data[place.reduce((sum, index, at) => sum + index * strides[at]!, 0)]!
    for (let at = shape.length - 1; at >= 0 && ++place[at]! === shape[at]; at--) place[at] = 0
  }
  return turned
}
