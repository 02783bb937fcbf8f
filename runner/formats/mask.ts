/** Masks as files: which weights were free to move, one bit a weight. A safetensors file with a tensor of bytes for each parameter, by
 *  its name; entry i of the parameter, row-major, is bit i % 8 of byte i / 8, counted from the lowest: NumPy's
 *  `unpackbits(bytes, count=n, bitorder='little')`. Bits beyond the last entry are 0. Metadata `shapes` is JSON: each parameter's
 *  shape by its name. */
import { z } from 'zod'
import { readSafetensors, SafetensorsError, type Tensor, writeSafetensors } from './safetensors.ts'

const FORMAT = 'palimpsest-mask'
const shapesIn = z.record(z.string(), z.array(z.int().min(0)))

/** One 0 or 1 per entry of a parameter. */
interface MaskedParameter {
  name: string
  shape: readonly number[]
  entries: Uint8Array
}

const sizeOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1)

export function encodeMask(parameters: readonly MaskedParameter[]): Uint8Array<ArrayBuffer> {
  const tensors = parameters.map(({ name, shape, entries }): [string, Tensor] => {
    if (entries.length !== sizeOf(shape))
      throw new SafetensorsError(
        `${name}: expected ${sizeOf(shape)} entries of a mask for [${shape}], got ${entries.length}`,
      )
    const data = new Uint8Array(Math.ceil(entries.length / 8))
    for (let i = 0; i < entries.length; i++) if (entries[i]) data[i >> 3]! |= 1 << (i & 7)
    return [name, { dtype: 'U8', shape: [data.length], data }]
  })
  const shapes = Object.fromEntries(parameters.map(({ name, shape }) => [name, shape]))
  return writeSafetensors(new Map(tensors), { format: FORMAT, bitorder: 'little', shapes: JSON.stringify(shapes) })
}

/** The bits of each parameter, as they are packed. Throws SafetensorsError for what is no such file. */
function packedIn(bytes: Uint8Array): { name: string; shape: number[]; size: number; bits: Uint8Array }[] {
  const { tensors, metadata } = readSafetensors(bytes)
  if (metadata.format !== FORMAT || metadata.bitorder !== 'little' || metadata.shapes === undefined)
    throw new SafetensorsError(`expected a mask with the format "${FORMAT}", got "${metadata.format ?? 'none'}"`)
  const shapes = shapesFrom(metadata.shapes)
  const names = Object.keys(shapes)
  const strange = [...tensors.keys()].find((name) => !Object.hasOwn(shapes, name))
  if (strange !== undefined) throw new SafetensorsError(`${strange}: the mask names no shape for it`)
  return names.map((name) => {
    const shape = shapes[name]!
    const size = sizeOf(shape)
    const tensor = tensors.get(name)
    const length = Math.ceil(size / 8)
    if (tensor?.dtype !== 'U8' || tensor.data.length !== length)
      throw new SafetensorsError(
        `${name}: expected ${length} bytes of U8 for [${shape}], got ${tensor ? `${tensor.data.length} of ${tensor.dtype}` : 'nothing'}`,
      )
    const rest = size % 8
    if (rest > 0 && tensor.data.at(-1)! >> rest !== 0)
      throw new SafetensorsError(`${name}: bits are set beyond its ${size} entries`)
    return { name, shape, size, bits: tensor.data }
  })
}

function shapesFrom(text: string): Record<string, number[]> {
  try {
    return shapesIn.parse(JSON.parse(text))
  } catch (error) {
    throw new SafetensorsError(`expected the shapes of a mask as JSON: ${(error as Error).message}`)
  }
}

export function decodeMask(bytes: Uint8Array): MaskedParameter[] {
  return packedIn(bytes).map(({ name, shape, size, bits }) => ({
    name,
    shape,
    entries: Uint8Array.from({ length: size }, (_, i) => (bits[i >> 3]! >> (i & 7)) & 1),
  }))
}

/** How many of the weights were free, counted from the bits without unpacking them. */
export function countFree(bytes: Uint8Array): { free: number; total: number } {
  let [free, total] = [0, 0]
  for (const { size, bits } of packedIn(bytes)) {
    total += size
    for (const byte of bits) free += ones[byte]!
  }
  return { free, total }
}

/** Ones of each byte. */
const ones = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0
  for (let rest = byte; rest > 0; rest >>= 1) count += rest & 1
  return count
})
