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
const KNOWN = ['F32', 'I64', 'I32', 'U8'] as const
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

type Header = z.infer<typeof headerShape>

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
  const { entries, metadata } = bytesOfTensors(bytes, KNOWN)
  const tensors = Array.from(entries, ([name, { dtype, shape, bytes }]): [string, Tensor] => [
    name,
    { dtype, shape, data: new arrays[dtype](bytes) } as Tensor,
  ])
  return { tensors: new Map(tensors), metadata }
}

/** The tensors of a file as bytes of their own, in the order of the file; any type but those that are named is refused. */
export function bytesOfTensors<Dtype extends string>(
  bytes: Uint8Array,
  types: readonly Dtype[],
): {
  entries: Map<string, { dtype: Dtype; shape: number[]; bytes: ArrayBuffer }>
  metadata: Record<string, string>
} {
  const length = headerLength(bytes)
  if (length > bytes.length - 8) {
    throw new SafetensorsError(
      `expected a header of ${length} bytes, got a file of ${bytes.length}; it is cut off or no safetensors`,
    )
  }
  const header = parseHeader(bytes.subarray(8, 8 + length))
  const { entries, metadata } = laidOut(header, { dataBytes: bytes.length - 8 - length, types })
  // A plain copy: the slices of a Buffer share its memory, and typed arrays need their bytes aligned.
  const data = new Uint8Array(bytes.subarray(8 + length))
  const found = entries.map(
    ({ name, dtype, shape, begin, end }) => [name, { dtype, shape, bytes: data.slice(begin, end).buffer }] as const,
  )
  return { entries: new Map(found), metadata }
}

/** Where a tensor lies in the data. */
export interface Entry<Dtype extends string = Tensor['dtype']> {
  name: string
  dtype: Dtype
  shape: number[]
  begin: number
  end: number
}

/** Holds every byte of the data against the tensors of the header. */
function laidOut<Dtype extends string>(
  { [METADATA]: metadata = {}, ...named }: Header,
  { dataBytes, types }: { dataBytes: number; types: readonly Dtype[] },
) {
  const entries = Object.entries(named)
    .map(([name, { dtype, shape, data_offsets }]): Entry<Dtype> => {
      const [begin, end] = data_offsets
      return { name, dtype: oneOf(types, name, dtype), shape, begin, end }
    })
    // Of tensors that begin at the same byte, the empty ones come first.
    .sort((a, b) => a.begin - b.begin || a.end - b.end)
  let covered = 0
  for (const { name, dtype, shape, begin, end } of entries) {
    const expected = sizeOf(shape) * sizeOfType(dtype)
    if (begin !== covered) throw new SafetensorsError(`${name}: expected its data at ${covered}, got ${begin}`)
    if (end - begin !== expected)
      throw new SafetensorsError(`${name}: expected ${expected} bytes of ${dtype}, got ${end - begin}`)
    if (end > dataBytes) {
      throw new SafetensorsError(
        `${name}: expected data up to byte ${end}, got ${dataBytes} bytes; the file is cut off`,
      )
    }
    covered = end
  }
  if (covered !== dataBytes) {
    throw new SafetensorsError(`expected ${covered} bytes of data, got ${dataBytes}`)
  }
  return { entries, metadata }
}

function oneOf<Dtype extends string>(types: readonly Dtype[], name: string, dtype: string): Dtype {
  const found = types.find((type) => type === dtype)
  if (found) return found
  const known = `${types.slice(0, -1).join(', ')} or ${types.at(-1)}`
  throw new SafetensorsError(
    `expected a safetensors header: ${name}.dtype: expected ${known}, got ${dtype}; convert it before it is saved`,
  )
}

type Read = (from: number, length: number) => Promise<Uint8Array>

/** What a file says that it holds, checked against its size; only the header is read. `start` is where the data begins. */
export async function readHeader(
  read: Read,
  { bytes, most = MAX_HEADER }: { bytes: number; most?: number },
): Promise<{ entries: Entry[]; metadata: Record<string, string>; start: number }> {
  const length = headerLength(bytes < 8 ? new Uint8Array() : await read(0, 8), most)
  const start = 8 + length
  if (start > bytes) {
    throw new SafetensorsError(
      `expected a header of ${length} bytes, got a file of ${bytes}; it is cut off or no safetensors`,
    )
  }
  return { ...laidOut(parseHeader(await read(8, length)), { dataBytes: bytes - start, types: KNOWN }), start }
}

/** The metadata of a file, of which only the header is read. */
export async function readMetadata(read: Read): Promise<Record<string, string>> {
  const length = headerLength(await read(0, 8))
  return parseHeader(await read(8, length))[METADATA] ?? {}
}

function headerLength(bytes: Uint8Array, most = MAX_HEADER): number {
  if (bytes.length < 8) throw new SafetensorsError(`expected at least 8 bytes of safetensors, got ${bytes.length}`)
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true))
  if (length <= most) return length
  throw new SafetensorsError(`expected a header of at most ${most} bytes, got ${length}; this is no safetensors`)
}

function parseHeader(bytes: Uint8Array): Header {
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
