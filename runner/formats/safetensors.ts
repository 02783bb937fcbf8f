/** The safetensors format (https://github.com/huggingface/safetensors#format): the length of a JSON header as a
 *  little-endian u64, the header, then the tensors' bytes without gaps. Pure; every platform of Node is little-endian enough. */
import { z } from 'zod'
import { sizeOfType } from './numbers.ts'

export type Tensor =
  | { dtype: 'F32'; shape: number[]; data: Float32Array }
  | { dtype: 'I64'; shape: number[]; data: BigInt64Array }
  | { dtype: 'I32'; shape: number[]; data: Int32Array }
  | { dtype: 'U8'; shape: number[]; data: Uint8Array }

export interface Safetensors {
  tensors: Map<string, Tensor>
  metadata: Record<string, string>
}

export class SafetensorsError extends Error {
  override name = 'SafetensorsError'
}

/** In the order in which the reference library lays tensors out; wider types first keeps all data aligned. */
const layout = ['I64', 'F32', 'I32', 'U8']
const arrays = { F32: Float32Array, I64: BigInt64Array, I32: Int32Array, U8: Uint8Array }
const METADATA = '__metadata__'
/** Longest header that other readers accept. */
const MAX_HEADER = 100_000_000

const headerShape = z.object({ [METADATA]: z.record(z.string(), z.string()).optional() }).catchall(
  z.object({
    dtype: z.string(),
    shape: z.array(z.int().min(0)),
    data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
  }),
)

const sizeOf = (shape: number[]) => shape.reduce((product, size) => product * size, 1)

/** The same tensors and metadata always give the same bytes, those of the reference library: by type as in `layout`, then by
 *  name. */
export function writeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Record<string, string> = {},
): Uint8Array<ArrayBuffer> {
  const place = ({ dtype }: Tensor) => layout.indexOf(dtype)
  const sorted = [...tensors].sort(([a, x], [b, y]) => place(x) - place(y) || (a < b ? -1 : 1))
  const header: [string, unknown][] = []
  const ordered = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))
  if (ordered.length > 0) header.push([METADATA, Object.fromEntries(ordered)])
  let end = 0
  for (const [name, { dtype, shape, data }] of sorted) {
    if (name === METADATA) throw new SafetensorsError(`no tensor may be named ${METADATA}`)
    if (sizeOf(shape) !== data.length) {
      throw new SafetensorsError(
        `${name}: expected ${sizeOf(shape)} entries for [${shape.join(', ')}], got ${data.length}`,
      )
    }
    header.push([name, { dtype, shape, data_offsets: [end, end + data.byteLength] }])
    end += data.byteLength
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)))
  const start = 8 + Math.ceil(json.length / 8) * 8
  const bytes = new Uint8Array(start + end)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true)
  bytes.fill(' '.charCodeAt(0), 8, start).set(json, 8)
  let offset = start
  for (const [, { data }] of sorted) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset)
    offset += data.byteLength
  }
  return bytes
}

/** Parses and checks a whole file; the tensors are copies. */
export function readSafetensors(bytes: Uint8Array): Safetensors {
  const { entries, metadata } = bytesOfTensors(bytes, Object.keys(arrays))
  const tensors = Array.from(entries, ([name, { dtype, shape, bytes }]): [string, Tensor] => {
    const known = dtype as Tensor['dtype']
    return [name, { dtype: known, shape, data: new arrays[known](bytes) } as Tensor]
  })
  return { tensors: new Map(tensors), metadata }
}

/** The tensors of a file as bytes of their own, in the order of the file; any type but those that are named is refused. */
export function bytesOfTensors(
  bytes: Uint8Array,
  types: string[],
): {
  entries: Map<string, { dtype: string; shape: number[]; bytes: ArrayBuffer }>
  metadata: Record<string, string>
} {
  const length = headerLength(bytes)
  if (length > bytes.length - 8) {
    throw new SafetensorsError(
      `expected a header of ${length} bytes, got a file of ${bytes.length}; it is cut off or no safetensors`,
    )
  }
  const header = parseHeader(bytes.subarray(8, 8 + length))
  // A plain copy: the slices of a Buffer share its memory, and typed arrays need their bytes aligned.
  const data = new Uint8Array(bytes.subarray(8 + length))
  const { [METADATA]: metadata = {}, ...entries } = header
  // Of tensors that begin at the same byte, the empty ones come first.
  const sorted = Object.entries(entries).sort(
    ([, { data_offsets: a }], [, { data_offsets: b }]) => a[0] - b[0] || a[1] - b[1],
  )
  const found = new Map<string, { dtype: string; shape: number[]; bytes: ArrayBuffer }>()
  let covered = 0
  for (const [name, { dtype, shape, data_offsets }] of sorted) {
    const [begin, end] = data_offsets
    if (!types.includes(dtype)) {
      const known = `${types.slice(0, -1).join(', ')} or ${types.at(-1)}`
      throw new SafetensorsError(
        `expected a safetensors header: ${name}.dtype: expected ${known}, got ${dtype}; convert it before it is saved`,
      )
    }
    const expected = sizeOf(shape) * sizeOfType(dtype)
    if (begin !== covered) throw new SafetensorsError(`${name}: expected its data at ${covered}, got ${begin}`)
    if (end - begin !== expected)
      throw new SafetensorsError(`${name}: expected ${expected} bytes of ${dtype}, got ${end - begin}`)
    if (end > data.length) {
      throw new SafetensorsError(
        `${name}: expected data up to byte ${end}, got ${data.length} bytes; the file is cut off`,
      )
    }
    found.set(name, { dtype, shape, bytes: data.slice(begin, end).buffer })
    covered = end
  }
  if (covered !== data.length) {
    throw new SafetensorsError(`expected ${covered} bytes of data, got ${data.length}`)
  }
  return { entries: found, metadata }
}

/** The metadata of a file, of which only the header is read. */
export async function readMetadata(
  read: (from: number, length: number) => Promise<Uint8Array>,
): Promise<Record<string, string>> {
  const length = headerLength(await read(0, 8))
  return parseHeader(await read(8, length))[METADATA] ?? {}
}

function headerLength(bytes: Uint8Array): number {
  if (bytes.length < 8) throw new SafetensorsError(`expected at least 8 bytes of safetensors, got ${bytes.length}`)
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true))
  if (length <= MAX_HEADER) return length
  throw new SafetensorsError(`expected a header of at most ${MAX_HEADER} bytes, got ${length}; this is no safetensors`)
}

function parseHeader(bytes: Uint8Array) {
  try {
    return headerShape.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
  } catch (error) {
    const message =
      error instanceof z.ZodError
        ? error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
        : (error as Error).message
    throw new SafetensorsError(`expected a safetensors header: ${message}`)
  }
}
