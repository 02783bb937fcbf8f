/** Tensors on the host: an element type, a shape and a typed array in row-major order. */

export const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  bool: Uint8Array,
} as const

export type ElementType = keyof typeof arrays
export type TensorData = Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array | Int8Array
export type Shape = readonly number[]

export interface Tensor {
  readonly type: ElementType
  readonly shape: Shape
  readonly data: TensorData
}

/** Number of entries of a shape; 1 for a scalar. */
export const sizeOf = (shape: Shape): number => shape.reduce((size, extent) => size * extent, 1)

/** A tensor over `data`, not copied. Throws when `data` does not have as many entries as the shape says. */
export function tensor(type: ElementType, shape: Shape, data: TensorData): Tensor {
  if (data.length !== sizeOf(shape)) {
    throw new Error(`tensor ${type}[${shape}] needs ${sizeOf(shape)} entries, got ${data.length}`)
  }
  return { type, shape, data }
}

export const floats = (shape: Shape, data: Float32Array | readonly number[]): Tensor =>
  tensor('float32', shape, data instanceof Float32Array ? data : Float32Array.from(data))

const INT64 = { least: -(2n ** 63n), most: 2n ** 63n - 1n }

/** Integers beyond the range become its bounds: an "until the end" of 2^63 - 1 rounds up to 2^63 on its way through a number. */
export const int64s = (shape: Shape, data: ArrayLike<number> & Iterable<number>): Tensor =>
  tensor(
    'int64',
    shape,
    BigInt64Array.from(data, (number) => {
      const whole = BigInt(number)
      return whole > INT64.most ? INT64.most : whole < INT64.least ? INT64.least : whole
    }),
  )

export const zeros = (shape: Shape): Tensor => tensor('float32', shape, new Float32Array(sizeOf(shape)))

/** Entries of a tensor as JavaScript numbers. */
export const numbersOf = ({ data }: Tensor): number[] => Array.from(data as Iterable<number | bigint>, Number)
