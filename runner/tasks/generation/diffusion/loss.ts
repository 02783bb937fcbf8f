/** Pieces of the losses of denoisers. */
import type { DenoiserInputs } from '../../../engine/nn/denoiser-network.ts'
import type { Value } from '../../../engine/onnx/graph.ts'
import type { Ops } from '../../../engine/onnx/ops.ts'
import { floats } from '../../../engine/onnx/tensor.ts'

/** Bytes [n, c, h, w] as numbers in [-1, 1], or in [0, 1]. */
export const fromBytes = (ops: Ops, bytes: Value, pixels: 'signed' | 'unit' = 'signed'): Value => {
  const numbers = ops.Cast(bytes, 'float32')
  return pixels === 'unit' ? ops.Mul(numbers, 1 / 255) : ops.Sub(ops.Mul(numbers, 2 / 255), 1)
}

/** x_t = sqrt(ᾱ_t) x_0 + sqrt(1 − ᾱ_t) ε, with t [n] int64 and `alphaBars` of every timestep. */
export function diffuse(ops: Ops, alphaBars: Float64Array, x0: Value, noise: Value, t: Value): Value {
  const scale = (of: (alphaBar: number) => number) => {
    const table = ops.constant(floats([alphaBars.length], Float32Array.from(alphaBars, of)))
    return ops.Reshape(ops.Gather(table, t), [t.shape[0]!, 1, 1, 1])
  }
  return ops.Add(
    ops.Mul(x0, scale(Math.sqrt)),
    ops.Mul(
      noise,
      scale((alphaBar) => Math.sqrt(1 - alphaBar)),
    ),
  )
}

/** ε = (1 + w) ε_c − w ε_∅, from one pass over the batch and its twin of the null class. */
export function guided(
  ops: Ops,
  predict: (inputs: DenoiserInputs) => Value,
  { x, t, labels }: DenoiserInputs,
  { guidance, classes }: { guidance: number; classes: number },
): Value {
  if (guidance === 0) return predict({ x, t, labels })
  const n = x.shape[0]!
  const none = ops.Expand(ops.scalar('int64', classes), [n])
  const both = predict({ x: ops.Concat([x, x], 0), t: ops.Concat([t, t], 0), labels: ops.Concat([labels, none], 0) })
  const [known, unknown] = ops.Split(both, [n, n], 0) as [Value, Value]
  return ops.Sub(ops.Mul(known, 1 + guidance), ops.Mul(unknown, guidance))
}
