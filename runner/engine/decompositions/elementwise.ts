/** Arithmetic that onnxruntime has no kernel for, or that a graph needs no op for. */
import { numberOf } from '../onnx/graph.ts'
import { type Decomposition, input } from './parts/decomposition.ts'

/** The remainder with the sign of the divisor, a - b * floor(a / b); integers, and that with the sign of a, are ONNX's own op. */
export const Mod: Decomposition = (context) => {
  const { ops, node } = context
  const [a, b] = [input(context, 0), input(context, 1)]
  if (numberOf(node, 'fmod', 0) === 1 || !a.type.startsWith('float')) return ops.emit('Mod', [a, b], node.attributes)
  const [rest] = ops.emit('Mod', [a, b], { ...node.attributes, fmod: 1 })
  // The remainder with the sign of a, moved by b where the signs differ.
  const apart = ops.Less(ops.Mul(ops.Sign(rest), ops.Sign(b)), 0)
  return [ops.Where(apart, ops.Add(rest, b), rest)]
}

/** The types of all values are known, so it's a Cast. */
export const CastLike: Decomposition = (context) => [context.ops.Cast(input(context, 0), input(context, 1).type)]
