/** Element types as files store them, and the types that they become: graphs compute in float32. */
import type { ElementType, TensorData } from '../onnx/tensor.ts'

type RawArray = TensorData | Uint16Array | Int16Array | Uint32Array | BigUint64Array
interface RawArrayConstructor {
  readonly BYTES_PER_ELEMENT: number
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): RawArray
  /** Of numbers, or of bigints where entries have 64 bits and are whole. */
  from(entries: readonly (number | bigint)[]): RawArray
}

/** How a type is stored. */
export interface StoredType {
  name: string
  /** What it becomes. */
  type: ElementType
  /** An array over the raw bytes. */
  raw: RawArrayConstructor
  /** The field of a TensorProto that holds the numbers where there are no raw bytes. */
  field: 'floatData' | 'doubleData' | 'int32Data' | 'int64Data' | 'uint64Data'
  /** Numbers of the raw array in the array of the type that it becomes; absent where it is the same. */
  convert?: (raw: RawArray) => TensorData
}

const LARGEST = 2n ** 63n - 1n
const wide = (raw: RawArray) =>
  BigInt64Array.from(raw as ArrayLike<number> & Iterable<number>, (entry) => {
    const exact = BigInt(entry)
    if (exact > LARGEST)
      throw new Error(`the file holds ${exact} as a uint64; no more than ${LARGEST} can be computed with`)
    return exact
  })

let halves: Float32Array | undefined
/** Every float16 by its bits. */
function halfValues(): Float32Array {
  halves ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => {
    const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023]
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
  })
  return halves
}
const fromHalves = (raw: RawArray) => {
  const values = halfValues()
  return Float32Array.from(raw as Uint16Array, (bits) => values[bits] as number)
}
/** bfloat16 is the upper half of a float32. */
const fromUpperHalves = (raw: RawArray) =>
  new Float32Array(Uint32Array.from(raw as Uint16Array, (bits) => bits << 16).buffer)

/** By ONNX's number. */
const storedTypes: Record<number, StoredType> = {
  1: { name: 'float32', type: 'float32', raw: Float32Array, field: 'floatData' },
  2: { name: 'uint8', type: 'uint8', raw: Uint8Array, field: 'int32Data' },
  3: { name: 'int8', type: 'int8', raw: Int8Array, field: 'int32Data' },
  4: { name: 'uint16', type: 'int64', raw: Uint16Array, field: 'int32Data', convert: wide },
  5: { name: 'int16', type: 'int64', raw: Int16Array, field: 'int32Data', convert: wide },
  6: { name: 'int32', type: 'int32', raw: Int32Array, field: 'int32Data' },
  7: { name: 'int64', type: 'int64', raw: BigInt64Array, field: 'int64Data' },
  9: { name: 'bool', type: 'bool', raw: Uint8Array, field: 'int32Data' },
  10: { name: 'float16', type: 'float32', raw: Uint16Array, field: 'int32Data', convert: fromHalves },
  11: { name: 'float64', type: 'float64', raw: Float64Array, field: 'doubleData' },
  12: { name: 'uint32', type: 'int64', raw: Uint32Array, field: 'uint64Data', convert: wide },
  13: { name: 'uint64', type: 'int64', raw: BigUint64Array, field: 'uint64Data', convert: wide },
  16: { name: 'bfloat16', type: 'float32', raw: Uint16Array, field: 'int32Data', convert: fromUpperHalves },
}

const UNSUPPORTED: Record<number, string> = {
  ...{ 0: 'no type', 8: 'string', 14: 'complex64', 15: 'complex128' },
  ...{ 17: 'float8e4m3fn', 18: 'float8e4m3fnuz', 19: 'float8e5m2', 20: 'float8e5m2fnuz', 24: 'float8e8m0' },
  ...{ 21: 'uint4', 22: 'int4', 23: 'float4e2m1', 25: 'uint2', 26: 'int2' },
}

/** How a type is stored. Throws for those that nothing here computes with; `what` names the tensor. */
export function storedType(dataType: number, what: string): StoredType {
  const found = storedTypes[dataType]
  if (!found) {
    const name = UNSUPPORTED[dataType] ?? `unknown (type ${dataType})`
    throw new Error(`${what} is of the element type ${name}, in which nothing trains; export the model in float32`)
  }
  return found
}
