/** State dicts that torch.save wrote before PyTorch 1.6, which is how older published weights come: five pickles (a magic number,
 *  a version, facts of the machine, the object, the names of its storages), then each storage as a count and raw numbers.
 *
 *  A pickle is a program for a stack machine that can name any function of Python. This machine knows the instructions that
 *  plain state dicts need, and instead of functions a few names, which only build data: nothing that a file says is run. */

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
  const reader = readerOf(bytes)
  if (unpickle(reader) !== MAGIC) throw new TorchFileError('expected a file of torch.save, got another magic number')
  unpickle(reader) // version of the format
  unpickle(reader) // byte order and sizes of types
  const views = unpickle(reader)
  const keys = unpickle(reader)
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

type Reader = ReturnType<typeof readerOf>

function readerOf(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let place = 0
  /** Moves on and gives the place before. */
  const skip = (count: number) => {
    if (place + count > bytes.length)
      throw new TorchFileError(`expected more than ${bytes.length} bytes; the file is cut off`)
    place += count
    return place - count
  }
  return {
    skip,
    byte: () => bytes[skip(1)]!,
    /** Little-endian and signed when it has 4 bytes, as the instructions have it. */
    integer(size: 1 | 2 | 4 | 8): number {
      const at = skip(size)
      if (size === 8) return Number(view.getBigUint64(at, true))
      return size === 4 ? view.getInt32(at, true) : size === 2 ? view.getUint16(at, true) : bytes[at]!
    },
    hex: (count: number) => Buffer.from(bytes.subarray(skip(count), place)).toString('hex'),
    text: (count: number) => new TextDecoder().decode(bytes.subarray(skip(count), place)),
    line() {
      const end = bytes.indexOf(0x0a, place)
      if (end < 0) throw new TorchFileError('expected a line; the file is cut off')
      const start = skip(end + 1 - place)
      return new TextDecoder().decode(bytes.subarray(start, end))
    },
  }
}

const MARK = Symbol('mark')

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((entry) => Number.isSafeInteger(entry) && entry >= 0)
const isStorage = (value: unknown): value is Storage => typeof value === 'object' && value !== null && 'dtype' in value

function viewOf([storage, offset, shape, strides]: unknown[]): View {
  if (!isStorage(storage) || !isCounts([offset]) || !isCounts(shape) || !isCounts(strides))
    throw new TorchFileError('expected a tensor of a storage, an offset, a shape and strides')
  return { storage, offset: Number(offset), shape, strides }
}

/** What the names in a state dict's pickle stand for. */
const builders = new Map<unknown, (parts: unknown[]) => unknown>([
  ['collections OrderedDict', () => new Map()],
  ['torch._utils _rebuild_tensor_v2', viewOf],
  ['torch._utils _rebuild_parameter', ([view]) => view],
])
const storageTypes = new Map<unknown, Storage['dtype']>([
  ['torch FloatStorage', 'F32'],
  ['torch.cuda FloatStorage', 'F32'],
  ['torch LongStorage', 'I64'],
  ['torch.cuda LongStorage', 'I64'],
])

/** Runs one pickle of protocol 2 to its end and gives what it leaves. */
function unpickle(reader: Reader): unknown {
  const stack: unknown[] = []
  const memo = new Map<number, unknown>()
  const sinceMark = () => {
    const start = stack.lastIndexOf(MARK)
    if (start < 0) throw new TorchFileError('a pickle refers to a mark that is not there')
    return stack.splice(start).slice(1)
  }
  const fill = (into: unknown, pairs: unknown[]) => {
    for (let i = 0; i < pairs.length; i += 2) (into as Map<unknown, unknown>).set(pairs[i], pairs[i + 1])
  }
  const instructions: Record<number, () => void> = {
    128: () => reader.byte(), // PROTO
    40: () => stack.push(MARK),
    41: () => stack.push([]), // EMPTY_TUPLE
    93: () => stack.push([]), // EMPTY_LIST
    125: () => stack.push(new Map()), // EMPTY_DICT
    116: () => stack.push(sinceMark()), // TUPLE
    133: () => stack.push(stack.splice(-1)), // TUPLE1
    134: () => stack.push(stack.splice(-2)), // TUPLE2
    135: () => stack.push(stack.splice(-3)), // TUPLE3
    78: () => stack.push(null), // NONE
    136: () => stack.push(true), // NEWTRUE
    137: () => stack.push(false), // NEWFALSE
    74: () => stack.push(reader.integer(4)), // BININT
    75: () => stack.push(reader.integer(1)), // BININT1
    77: () => stack.push(reader.integer(2)), // BININT2
    138: () => stack.push(reader.hex(reader.byte())), // LONG1: only the magic number
    88: () => stack.push(reader.text(reader.integer(4))), // BINUNICODE
    113: () => memo.set(reader.integer(1), stack.at(-1)), // BINPUT
    114: () => memo.set(reader.integer(4), stack.at(-1)), // LONG_BINPUT
    104: () => stack.push(memo.get(reader.integer(1))), // BINGET
    106: () => stack.push(memo.get(reader.integer(4))), // LONG_BINGET
    97: () => (stack.at(-2) as unknown[]).push(stack.pop()), // APPEND
    101: () => {
      const items = sinceMark() // APPENDS
      ;(stack.at(-1) as unknown[]).push(...items)
    },
    115: () => fill(stack.at(-3), stack.splice(-2)), // SETITEM
    117: () => {
      const pairs = sinceMark() // SETITEMS
      fill(stack.at(-1), pairs)
    },
    98: () => stack.pop(), // BUILD: attributes of a state dict, such as versions of its modules
    99: () => {
      const name = `${reader.line()} ${reader.line()}` // GLOBAL
      if (!builders.has(name) && !storageTypes.has(name)) {
        throw new TorchFileError(`a state dict does not need ${name.replace(' ', '.')}; the file is refused`)
      }
      stack.push(name)
    },
    82: () => {
      const [name, parts] = stack.splice(-2) // REDUCE
      const build = builders.get(name)
      if (!build || !Array.isArray(parts))
        throw new TorchFileError(`a state dict does not need a call of ${String(name)}`)
      stack.push(build(parts))
    },
    81: () => {
      const parts = stack.pop() // BINPERSID
      const [, type, key, , count] = Array.isArray(parts) ? parts : []
      const dtype = storageTypes.get(type)
      if (!dtype || typeof key !== 'string' || !isCounts([count]))
        throw new TorchFileError(`expected a storage of float32 or int64 numbers, got ${String(type)}`)
      stack.push({ key, dtype, count } satisfies Storage)
    },
  }
  for (;;) {
    const code = reader.byte()
    if (code === 46) return stack.pop() // STOP
    const instruction = instructions[code]
    if (!instruction) throw new TorchFileError(`expected a pickled state dict, got the instruction ${code}`)
    instruction()
  }
}
