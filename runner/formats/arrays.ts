/** Arrays as people save them elsewhere: safetensors or numpy's .npz, with numbers of more types than our own files have. Pure. */
import { readNpz } from './npz.ts'
import { ArraysError, decoders, type Numbers } from './numbers.ts'
import { bytesOfTensors } from './safetensors.ts'

export interface NumberArray {
  /** Its type as the file names it. */
  type: string
  shape: number[]
  /** Row-major. */
  data: Numbers
}

export interface Arrays {
  arrays: Map<string, NumberArray>
  /** What else the file says: the metadata of safetensors, the arrays without dimensions of an .npz. */
  facts: Map<string, string>
}

const KINDS = 'safetensors, or an .npz as numpy.savez writes it'

/** A file is told by its first bytes. Throws ArraysError or SafetensorsError where it is neither, or holds what is no
 *  plain number. */
export function readArrays(bytes: Uint8Array): Arrays {
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) return readNpz(bytes)
  if (String.fromCharCode(bytes[8] ?? 0) !== '{') throw new ArraysError(`expected ${KINDS}, got a file of another kind`)
  const { entries, metadata } = bytesOfTensors(bytes, Object.keys(decoders.safetensors))
  const arrays = Array.from(entries, ([name, { dtype, shape, bytes }]): [string, NumberArray] => [
    name,
    { type: dtype, shape, data: decoders.safetensors[dtype as keyof typeof decoders.safetensors](bytes) },
  ])
  return { arrays: new Map(arrays), facts: new Map(Object.entries(metadata)) }
}
