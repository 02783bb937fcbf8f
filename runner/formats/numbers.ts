/** Types of numbers by the names that safetensors and numpy have for them, little-endian. Half precision becomes single, which holds
 *  it exactly. Pure. */

/** A file of arrays is not what its reader expects. */
export class ArraysError extends Error {
  override name = 'ArraysError'
}

export type Numbers =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array

type Decode = (bytes: ArrayBuffer) => Numbers

const float32: Decode = (bytes) => new Float32Array(bytes)
const float64: Decode = (bytes) => new Float64Array(bytes)
const int8: Decode = (bytes) => new Int8Array(bytes)
const uint8: Decode = (bytes) => new Uint8Array(bytes)
const int16: Decode = (bytes) => new Int16Array(bytes)
const uint16: Decode = (bytes) => new Uint16Array(bytes)
const int32: Decode = (bytes) => new Int32Array(bytes)
const uint32: Decode = (bytes) => new Uint32Array(bytes)
const int64: Decode = (bytes) => new BigInt64Array(bytes)
const uint64: Decode = (bytes) => new BigUint64Array(bytes)

/** The upper half of single precision. */
const bfloat16: Decode = (bytes) =>
  new Float32Array(Uint32Array.from(new Uint16Array(bytes), (half) => half << 16).buffer)

/** One bit of sign, five of exponent, ten of fraction. */
const float16: Decode = (bytes) =>
  Float32Array.from(new Uint16Array(bytes), (half) => {
    const sign = half & 0x8000 ? -1 : 1
    const [exponent, fraction] = [(half >> 10) & 0x1f, half & 0x3ff]
    if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
  })

export const decoders = {
  safetensors: {
    F16: float16,
    BF16: bfloat16,
    F32: float32,
    F64: float64,
    I8: int8,
    I16: int16,
    I32: int32,
    I64: int64,
    U8: uint8,
    U16: uint16,
    U32: uint32,
    U64: uint64,
  },
  numpy: {
    '<f2': float16,
    '<f4': float32,
    '<f8': float64,
    '|i1': int8,
    '<i2': int16,
    '<i4': int32,
    '<i8': int64,
    '|u1': uint8,
    '<u2': uint16,
    '<u4': uint32,
    '<u8': uint64,
  },
} satisfies Record<string, Record<string, Decode>>

/** Bytes of a number of a type of safetensors, whose names end in its bits. */
export const sizeOfType = (type: string): number => Number(/\d+$/.exec(type)?.[0] ?? 8) / 8

export const isFloat = (data: Numbers): data is Float32Array | Float64Array =>
  data instanceof Float32Array || data instanceof Float64Array
