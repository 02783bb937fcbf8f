/** Lists of whole numbers as constants. */
import { type Tensor, tensor } from '../onnx/tensor.ts'

const LARGEST = 2n ** 63n - 1n

/** An int64 vector. "Until the end" is written as 2^63 - 1, which rounds up to 2^63 on its way through a number. */
export const int64List = (numbers: readonly number[]): Tensor =>
  tensor(
    'int64',
    [numbers.length],
    BigInt64Array.from(numbers, (number) => {
      const exact = BigInt(Math.trunc(number))
      return exact > LARGEST ? LARGEST : exact
    }),
  )
