/** Pickles of protocol 2, in which PyTorch's older weights and the python versions of CIFAR come.
 *
 *  A pickle is a program for a stack machine that can name any function of Python. This machine knows the instructions that
 *  plain data needs, and instead of functions a few names that its caller gives, which only build data: nothing that a file says is
 *  run. A library would have to be held to the same list of names, and the ones on npm look up or make up what a file names. */

/** What the names in a pickle stand for. */
export interface PickleWorld {
  /** What is read, for messages. */
  what: string
  /** Stand for functions, by "module name". */
  builders: ReadonlyMap<string, (parts: unknown[]) => unknown>
  /** Stand for themselves; they can be handed on, not called. */
  names?: ReadonlySet<string>
  /** What lies outside of the pickle, by what it says of it. */
  persistent?(id: unknown): unknown
  /** Gives an object its state; left out, a state says nothing that is needed. */
  setState?(object: unknown, state: unknown): void
  fail(message: string): never
}

export type PickleReader = ReturnType<typeof pickleReader>

export function pickleReader(bytes: Uint8Array, fail: (message: string) => never) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let place = 0
  /** Moves on and gives the place before. */
  const skip = (count: number) => {
    if (count < 0 || place + count > bytes.length) fail(`expected more than ${bytes.length} bytes; the file is cut off`)
    place += count
    return place - count
  }
  const piece = (count: number) => bytes.subarray(skip(count), place)
  return {
    skip,
    byte: () => bytes[skip(1)]!,
    /** Little-endian and signed when it has 4 bytes, as the instructions have it. */
    integer(size: 1 | 2 | 4 | 8): number {
      const at = skip(size)
      if (size === 8) return Number(view.getBigUint64(at, true))
      return size === 4 ? view.getInt32(at, true) : size === 2 ? view.getUint16(at, true) : bytes[at]!
    },
    /** As they lie in the file, not copied. */
    piece,
    hex: (count: number) => Buffer.from(piece(count)).toString('hex'),
    text: (count: number) => new TextDecoder().decode(piece(count)),
    latin: (count: number) => Buffer.from(piece(count)).toString('latin1'),
    line() {
      const end = bytes.indexOf(0x0a, place)
      if (end < 0) fail('expected a line; the file is cut off')
      const start = skip(end + 1 - place)
      return new TextDecoder().decode(bytes.subarray(start, end))
    },
  }
}

const MARK = Symbol('mark')

/** Runs one pickle to its end and gives what it leaves: tuples and lists as arrays, dicts as maps, short byte strings of Python 2 as
 *  text, long ones as bytes. */
export function unpickle(reader: PickleReader, world: PickleWorld): unknown {
  const { what, builders, names, fail } = world
  const stack: unknown[] = []
  const memo = new Map<number, unknown>()
  const pop = () => (stack.length > 0 ? stack.pop() : fail('a pickle takes from an empty stack'))
  const take = (count: number) =>
    stack.length >= count ? stack.splice(-count) : fail(`a pickle takes ${count} from a stack of ${stack.length}`)
  const sinceMark = () => {
    const start = stack.lastIndexOf(MARK)
    if (start < 0) fail('a pickle refers to a mark that is not there')
    return stack.splice(start).slice(1)
  }
  const remember = (key: number) => memo.set(key, stack.at(-1))
  const recall = (key: number) => {
    if (!memo.has(key)) fail(`a pickle refers to its item ${key}, which is not there`)
    stack.push(memo.get(key))
  }
  const append = (items: unknown[]) => {
    const list = stack.at(-1)
    if (!Array.isArray(list)) return fail('a pickle appends to what is no list')
    for (const item of items) list.push(item)
  }
  const fill = (pairs: unknown[]) => {
    const into = stack.at(-1)
    if (!(into instanceof Map) || pairs.length % 2 === 1) return fail('a pickle sets items of what is no dict')
    for (let i = 0; i < pairs.length; i += 2) into.set(pairs[i], pairs[i + 1])
  }
  const instructions: Record<number, () => void> = {
    128: () => reader.byte(), // PROTO
    40: () => stack.push(MARK),
    41: () => stack.push([]), // EMPTY_TUPLE
    93: () => stack.push([]), // EMPTY_LIST
    125: () => stack.push(new Map()), // EMPTY_DICT
    116: () => stack.push(sinceMark()), // TUPLE
    133: () => stack.push(take(1)), // TUPLE1
    134: () => stack.push(take(2)), // TUPLE2
    135: () => stack.push(take(3)), // TUPLE3
    78: () => stack.push(null), // NONE
    136: () => stack.push(true), // NEWTRUE
    137: () => stack.push(false), // NEWFALSE
    74: () => stack.push(reader.integer(4)), // BININT
    75: () => stack.push(reader.integer(1)), // BININT1
    77: () => stack.push(reader.integer(2)), // BININT2
    138: () => stack.push(reader.hex(reader.byte())), // LONG1: only the magic number of torch.save
    85: () => stack.push(reader.latin(reader.byte())), // SHORT_BINSTRING
    84: () => stack.push(reader.piece(reader.integer(4))), // BINSTRING
    88: () => stack.push(reader.text(reader.integer(4))), // BINUNICODE
    113: () => remember(reader.integer(1)), // BINPUT
    114: () => remember(reader.integer(4)), // LONG_BINPUT
    104: () => recall(reader.integer(1)), // BINGET
    106: () => recall(reader.integer(4)), // LONG_BINGET
    97: () => append([pop()]), // APPEND
    101: () => append(sinceMark()), // APPENDS
    115: () => fill(take(2)), // SETITEM
    117: () => fill(sinceMark()), // SETITEMS
    98: () => {
      const state = pop() // BUILD: attributes, such as the versions of a state dict's modules
      world.setState?.(stack.at(-1), state)
    },
    99: () => {
      const name = `${reader.line()} ${reader.line()}` // GLOBAL
      if (!builders.has(name) && !names?.has(name)) {
        fail(`${what} does not need ${name.replace(' ', '.')}; the file is refused`)
      }
      stack.push(name)
    },
    82: () => {
      const [name, parts] = take(2) // REDUCE
      const build = builders.get(name as string)
      if (!build || !Array.isArray(parts)) return fail(`${what} does not need a call of ${String(name)}`)
      stack.push(build(parts))
    },
    81: () => {
      if (!world.persistent) return fail(`${what} refers to nothing outside of its pickle; the file is refused`)
      stack.push(world.persistent(pop())) // BINPERSID
    },
  }
  for (;;) {
    const code = reader.byte()
    if (code === 46) return pop() // STOP
    const instruction = instructions[code]
    if (!instruction)
      return fail(`${what}: expected instructions of a pickle of plain data, got the instruction ${code}`)
    instruction()
  }
}
