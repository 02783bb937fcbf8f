/** State dicts that torch.save wrote before PyTorch 1.6, which is how older published weights come: five pickles (a magic number,
 *  a version, facts of the machine, the object, the names of its storages), then each storage as a count and raw numbers.
 *  Nothing that a file says is run, see pickle.ts. */
import { type PickleWorld, pickleReader, unpickle } from './pickle.ts'

export type TorchTensor =
  | { dtype: 'F32'; shape: number[]; data: Float32Array }
  | { dtype: 'I64'; shape: number[]; data: BigInt64Array }

export class TorchFileError extends Error {
  override name = 'TorchFileError'
}

interface Storage {
  key: string
  dtype: TorchTensor['dtype']
  count: number
}
interface View {
  storage: Storage
  offset: number
  shape: number[]
  strides: number[]
}

const MAGIC = '6cfc9c46f9206aa85019' // little-endian 0x1950a86a20f9469cfc6c
const arrays = { F32: Float32Array, I64: BigInt64Array }

/** Tensors by name. Throws TorchFileError for anything but a state dict of contiguous float32 and int64 tensors. */
export function readTorchFile(bytes: Uint8Array): Map<string, TorchTensor> {
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) {
    throw new TorchFileError('expected a file of torch.save from before PyTorch 1.6, got a zip archive of a later one')
  }
  const reader = pickleReader(bytes, fail)
  if (unpickle(reader, stateDict) !== MAGIC)
    throw new TorchFileError('expected a file of torch.save, got another magic number')
  unpickle(reader, stateDict) // version of the format
  unpickle(reader, stateDict) // byte order and sizes of types
  const views = unpickle(reader, stateDict)
  const keys = unpickle(reader, stateDict)
  if (!(views instanceof Map) || !Array.isArray(keys)) throw new TorchFileError('expected a state dict')

  const places = new Map<string, { count: number; start: number }>()
  const storages = new Map([...views.values()].map(({ storage }: View) => [storage?.key, storage]))
  for (const key of keys) {
    const storage = storages.get(key)
    if (!storage) throw new TorchFileError(`storage ${key} belongs to no tensor`)
    const count = reader.integer(8)
    if (count !== storage.count)
      throw new TorchFileError(`expected ${storage.count} numbers in storage ${key}, got ${count}`)
    const start = reader.skip(count * arrays[storage.dtype].BYTES_PER_ELEMENT)
    places.set(key, { count, start })
  }
  return new Map([...views].map(([name, view]: [string, View]) => [name, tensorOf(name, view)]))

  function tensorOf(name: string, { storage, offset, shape, strides }: View): TorchTensor {
    const found = places.get(storage?.key)
    if (!found) throw new TorchFileError(`${name}: expected a tensor with a storage`)
    let expected = 1
    for (const [i, extent] of [...shape.entries()].reverse()) {
      if (extent !== 1 && strides[i] !== expected) throw new TorchFileError(`${name}: expected a contiguous tensor`)
      expected *= extent
    }
    if (offset + expected > found.count) throw new TorchFileError(`${name}: reaches beyond its storage`)
    const size = arrays[storage.dtype].BYTES_PER_ELEMENT
    const start = found.start + offset * size
    // A plain copy: the slices of a Buffer share its memory, and typed arrays need their bytes aligned.
    const data = new arrays[storage.dtype](new Uint8Array(bytes.subarray(start, start + expected * size)).buffer)
    return { dtype: storage.dtype, shape, data } as TorchTensor
  }
}

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((entry) => Number.isSafeInteger(entry) && entry >= 0)
const isStorage = (value: unknown): value is Storage => typeof value === 'object' && value !== null && 'dtype' in value

const fail = (message: string): never => {
  throw new TorchFileError(message)
}

function viewOf([storage, offset, shape, strides]: unknown[]): View {
  if (!isStorage(storage) || !isCounts([offset]) || !isCounts(shape) || !isCounts(strides))
    throw new TorchFileError('expected a tensor of a storage, an offset, a shape and strides')
  return { storage, offset: Number(offset), shape, strides }
}

const storageTypes = new Map<string, Storage['dtype']>([
  ['torch FloatStorage', 'F32'],
  ['torch.cuda FloatStorage', 'F32'],
  ['torch LongStorage', 'I64'],
  ['torch.cuda LongStorage', 'I64'],
])

/** What the names in a state dict's pickle stand for. */
const stateDict: PickleWorld = {
  what: 'a state dict',
  builders: new Map([
    ['collections OrderedDict', () => new Map()],
    ['torch._utils _rebuild_tensor_v2', viewOf],
    ['torch._utils _rebuild_parameter', ([view]: unknown[]) => view],
  ]),
  names: new Set(storageTypes.keys()),
  fail,
  persistent(id) {
    const [, type, key, , count] = Array.isArray(id) ? id : []
    const dtype = storageTypes.get(type)
    if (!dtype || typeof key !== 'string' || !isCounts([count]))
      throw new TorchFileError(`expected a storage of float32 or int64 numbers, got ${String(type)}`)
    return { key, dtype, count } satisfies Storage
  },
}
