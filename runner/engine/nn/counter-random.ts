/** Random numbers inside a graph, by key and counter: the numbers of a row depend on that row's key alone, so that a batch can
 *  be cut anywhere, and nothing has to be carried between calls.
 *
 *  With a key (a, b) and counter j: h0 = a + j, then h <- h^2 + k mod (2^31 - 1) for k = b, a, b. Squaring modulo a prime is
 *  exact in int64 on every device; the random words decorrelate neighbours, three rounds hide what one leaves linear. Bit
 *  operations would be the usual choice, but onnxruntime's CUDA provider has none. */
import type { Value } from '../onnx/graph.ts'
import type { Ops } from '../onnx/ops.ts'
import { int64s, type Shape, sizeOf, type Tensor } from '../onnx/tensor.ts'
import type { Stream } from './random.ts'

const PRIME = 2 ** 31 - 1
/** Of `a`, so that (a + counter)^2 stays below 2^63. */
const FIRST_WORD = 2 ** 30

/** Keys for rows, [...shape, 2] int64, from a host stream. */
export function drawKeys(random: Stream, shape: Shape): Tensor {
  const words = Array.from({ length: 2 * sizeOf(shape) }, (_, i) => random.integer(i % 2 === 0 ? FIRST_WORD : PRIME))
  return int64s([...shape, 2], words)
}

/** Draws under one key a row: each call takes counters that no earlier call of the same source has taken. keys [n, 2] int64;
 *  shapes are [n, ...]. `first` leaves counters to another source over the same keys. */
export function uniformSource(ops: Ops, keys: Value, first = 0): (shape: Shape) => Value {
  const [a, b] = ops.Split(keys, [1, 1], 1) as [Value, Value] // [n, 1] each
  let taken = first
  return (shape) => {
    const count = sizeOf(shape) / shape[0]!
    const counters = ops.constant(
      int64s(
        [1, count],
        Uint32Array.from({ length: count }, (_, j) => taken + j),
      ),
    )
    taken += count
    if (taken > FIRST_WORD) throw new Error(`a key gives ${FIRST_WORD} numbers, ${taken} are needed`)
    let h = ops.Add(a, counters) // [n, count]
    for (const word of [b, a, b]) h = ops.Mod(ops.Add(ops.Mul(h, h), word), PRIME)
    return ops.Reshape(ops.Div(ops.Add(ops.Cast(h, 'float32'), 0.5), PRIME), shape)
  }
}

/** Standard normal numbers [n, ...] from a source, by Box and Muller's transform: two uniforms give two normals. */
export function normals(ops: Ops, uniforms: (shape: Shape) => Value, shape: Shape): Value {
  const n = shape[0]!
  const count = sizeOf(shape) / n
  const half = Math.ceil(count / 2)
  const radius = ops.Sqrt(ops.Mul(ops.Log(uniforms([n, half])), -2))
  const angle = ops.Mul(uniforms([n, half]), 2 * Math.PI)
  const both = ops.Concat([ops.Mul(radius, ops.Cos(angle)), ops.Mul(radius, ops.Sin(angle))], 1)
  return ops.Reshape(2 * half === count ? both : ops.Slice(both, [0], [count], [1]), shape)
}
