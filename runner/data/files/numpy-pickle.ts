/** Pickled dicts of numbers, texts and NumPy arrays of bytes, as Python 2 wrote them: the python versions of CIFAR. An array is built
 *  by `_reconstruct` and its state; of what a state may say, only plain rows of uint8 are taken. */
import { DatasetError } from '../../science/dataset.ts'
import { type PickleWorld, pickleReader, unpickle } from './pickle.ts'

/** uint8, row by row. */
export interface ByteArray {
  shape: number[]
  data: Uint8Array
}

/** NumPy's objects while a pickle builds them. */
class Type {
  readonly code: unknown
  constructor(code: unknown) {
    this.code = code
  }
}
class Building implements ByteArray {
  shape: number[] = []
  data: Uint8Array = new Uint8Array()
}

export const isByteArray = (value: unknown): value is ByteArray => value instanceof Building

/** The dict that a file holds. Throws DatasetError, with `path`, for a pickle of anything else. */
export function readPickledDict(bytes: Uint8Array, path: string): Map<unknown, unknown> {
  const fail = (message: string): never => {
    throw new DatasetError(`${path}: ${message}`)
  }
  const world: PickleWorld = {
    what: 'a dict of plain arrays',
    builders: new Map<string, (parts: unknown[]) => unknown>([
      ['numpy.core.multiarray _reconstruct', () => new Building()],
      ['numpy dtype', ([code]) => new Type(code)],
    ]),
    names: new Set(['numpy ndarray']),
    fail,
    setState(object, state) {
      // The state of a type says its byte order, of which bytes have none.
      if (object instanceof Type) return
      if (!(object instanceof Building) || !Array.isArray(state))
        throw new DatasetError(`${path}: expected the state of an array`)
      Object.assign(object, arrayOf(state, fail))
    },
  }
  const found = unpickle(pickleReader(bytes, fail), world)
  return found instanceof Map ? found : fail('expected a pickled dict')
}

/** From version, shape, type, whether it lies column by column, and its bytes. */
function arrayOf([, shape, type, columns, data]: unknown[], fail: (message: string) => never): ByteArray {
  const sized =
    Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && size >= 0) ? (shape as number[]) : null
  if (!sized) return fail('expected an array with a shape')
  if (!(type instanceof Type) || type.code !== 'u1')
    return fail(`expected an array of uint8 ("u1"), got ${type instanceof Type ? `"${type.code}"` : 'no type'}`)
  if (columns !== false) return fail('expected an array that lies row by row, got one column by column')
  // A string of Python 2 that is shorter than 256 bytes was read as text.
  const raw = typeof data === 'string' ? Buffer.from(data, 'latin1') : data
  const size = sized.reduce((product, extent) => product * extent, 1)
  if (!(raw instanceof Uint8Array) || raw.length !== size)
    return fail(
      `expected ${size} bytes for an array of [${sized.join(', ')}], got ${raw instanceof Uint8Array ? raw.length : 'none'}`,
    )
  return { shape: sized, data: raw }
}
