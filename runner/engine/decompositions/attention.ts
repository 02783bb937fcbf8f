/** Attention and the turning of positions into it. */
import { at } from '../onnx/arity.ts'
import { elementTypeOf } from '../onnx/element-types.ts'
import { numberOf, type Value } from '../onnx/graph.ts'
import type { Ops } from '../onnx/ops.ts'
import { floats, int64s } from '../onnx/tensor.ts'
import { type Decomposition, type DecompositionContext, input, table } from './parts/decomposition.ts'

/** What hides a key: far below any product, and finite, so that a query that sees none has a gradient (of zero). */
const HIDDEN = -1e30

/** [b, s, heads * d] -> [b, heads, s, d] */
function inHeads({ ops, node }: DecompositionContext, x: Value, attribute: string): Value {
  if (x.shape.length === 4) return x
  const heads = numberOf(node, attribute, 0)
  const [batch, length, width] = x.shape as [number, number, number]
  if (!heads || width % heads !== 0)
    throw new Error(
      `${node.op}: expected ${attribute} to divide ${width}, the last extent of [${x.shape}]; got ${heads}`,
    )
  return ops.Transpose(ops.Reshape(x, [batch, length, heads, width / heads]), [0, 2, 1, 3])
}

/** Each head as often as queries share it: [b, heads, s, d] -> [b, queries, s, d] */
function repeated(ops: Ops, x: Value, queries: number): Value {
  const [batch, heads, length, size] = x.shape as [number, number, number, number]
  if (heads === queries) return x
  const wide = ops.Expand(ops.Unsqueeze(x, [2]), [batch, heads, queries / heads, length, size])
  return ops.Reshape(wide, [batch, queries, length, size])
}

interface Places {
  queries: number
  keys: number
  /** How many keys lie before the first query's own. */
  past: number
  /** How many keys of each example there are, [b], where not all are. */
  lengths: Value | undefined
}

/** What is added to the product of query i and key j: HIDDEN where j lies behind the query's own place, outside its window, or beyond
 *  the keys that there are. */
function positions(context: DecompositionContext, places: Places): Value | null {
  const { ops, node } = context
  const causal = numberOf(node, 'is_causal', 0) === 1
  const [left, right] = [numberOf(node, 'left_window_size', -1), numberOf(node, 'right_window_size', -1)]
  const { queries, keys, past, lengths } = places
  if (lengths) {
    const along = (extent: number, shape: number[]) =>
      ops.constant(
        int64s(
          shape,
          table(node, extent, (i) => i),
        ),
        'places',
      )
    const counts = ops.Reshape(lengths, [at(lengths.shape, 0), 1, 1, 1])
    const key = along(keys, [1, 1, 1, keys])
    // The last query stands at the last key.
    const back = ops.Sub(ops.Add(along(queries, [1, 1, queries, 1]), ops.Sub(counts, queries)), key)
    const seen = [
      ops.Less(key, counts),
      ...(causal ? [ops.GreaterOrEqual(back, 0)] : []),
      ...(left >= 0 ? [ops.LessOrEqual(back, left)] : []),
      ...(right >= 0 ? [ops.GreaterOrEqual(back, -right)] : []),
    ].reduce((all, own) => ops.And(all, own))
    return ops.Where(seen, ops.scalar(input(context, 0).type, 0), HIDDEN)
  }
  if (!causal && left < 0 && right < 0) return null
  const seen = (i: number, j: number) => {
    const back = i + past - j
    return !(causal && back < 0) && !(left >= 0 && back > left) && !(right >= 0 && -back > right)
  }
  const bias = table(node, queries * keys, (flat) => (seen(Math.floor(flat / keys), flat % keys) ? 0 : HIDDEN))
  return ops.constant(floats([queries, keys], bias), 'positions')
}

/** A mask as what is added: HIDDEN where it's false, or where it is -infinity; keys beyond its end are hidden. */
function biasOf({ ops }: DecompositionContext, mask: Value, type: Value['type'], keys: number): Value {
  const bias = mask.type === 'bool' ? ops.Where(mask, ops.scalar(type, 0), HIDDEN) : ops.Max(mask, HIDDEN)
  const own = at(bias.shape, -1)
  if (own === keys || own === 1) return bias
  const rest = ops.Expand(ops.scalar(type, HIDDEN), [...bias.shape.slice(0, -1), keys - own])
  return ops.Concat([bias, rest], bias.shape.length - 1)
}

/** softmax(q k^T scale + bias) v over heads that queries may share; outputs are the result, keys and values with those of the past,
 *  and the products, at the point that an attribute names. */
export const Attention: Decomposition = (context) => {
  const { ops, node, x } = context
  const query = inHeads(context, input(context, 0), 'q_num_heads')
  const withPast = (past: Value | undefined, own: Value) => (past ? ops.Concat([past, own], 2) : own)
  const key = withPast(x[4], inHeads(context, input(context, 1), 'kv_num_heads'))
  const value = withPast(x[5], inHeads(context, input(context, 2), 'kv_num_heads'))
  const [batch, heads, queries, size] = query.shape as [number, number, number, number]
  const keys = at(key.shape, 2)

  const scaled = ops.Mul(query, numberOf(node, 'scale', 1 / Math.sqrt(size)))
  const raw = ops.MatMul(scaled, ops.Transpose(repeated(ops, key, heads), [0, 1, 3, 2]))
  const cap = numberOf(node, 'softcap', 0)
  const capped = cap > 0 ? ops.Mul(ops.Tanh(ops.Div(raw, cap)), cap) : raw
  const past = x[4] ? at(x[4].shape, 2) : 0
  const placed = positions(context, { queries, keys, past, lengths: x[6] })
  const biases = [...(placed ? [placed] : []), ...(x[3] ? [biasOf(context, x[3], raw.type, keys)] : [])]
  const bias = biases.length > 0 ? biases.reduce((sum, own) => ops.Add(sum, own)) : null
  const products = bias ? ops.Add(capped, bias) : capped
  const precise = numberOf(node, 'softmax_precision', 0) === 11 ? ops.Cast(products, elementTypeOf(11)) : products
  const shares = ops.Cast(ops.Softmax(precise, { axis: -1 }), raw.type)
  const attended = bias
    ? ops.Where(ops.Less(ops.ReduceMax(bias, [bias.shape.length - 1]), HIDDEN / 2), 0, shares)
    : shares
  const heard = ops.MatMul(attended, repeated(ops, value, heads))
  const width = heads * at(value.shape, 3)
  const result =
    input(context, 0).shape.length === 4
      ? heard
      : ops.Reshape(ops.Transpose(heard, [0, 2, 1, 3]), [batch, queries, width])
  const shown = () => {
    const unseen = () => (bias ? ops.Where(ops.Less(bias, HIDDEN / 2), Number.NEGATIVE_INFINITY, products) : products)
    return [() => raw, () => capped, unseen, () => attended][numberOf(node, 'qk_matmul_output_mode', 0)]?.() ?? null
  }
  return [result, key, value, node.outputs[3] ? shown() : null]
}

/** Turns pairs of entries of each head by the angles of their place: (a, b) -> (a cos - b sin, a sin + b cos). */
export const RotaryEmbedding: Decomposition = (context) => {
  const { ops, node, x } = context
  const whole = input(context, 0)
  const flat = whole.shape.length === 3
  const inner = flat ? inHeads(context, whole, 'num_heads') : whole
  const [batch, heads, length, size] = inner.shape as [number, number, number, number]
  const turned = numberOf(node, 'rotary_embedding_dim', 0) || size
  const half = turned / 2
  // [b, s, half], or by place [places, half] -> [b, 1, s, half]
  const angles = (index: number) => {
    const cache = input(context, index)
    return ops.Unsqueeze(x[3] ? ops.Gather(cache, x[3]) : cache, [1])
  }
  const [cos, sin] = [angles(1), angles(2)]
  const [moved, kept] = turned < size ? ops.Split(inner, [turned, size - turned], 3) : [inner]
  const interleaved = numberOf(node, 'interleaved', 0) === 1
  // Pairs are neighbours, or entries of the two halves.
  const paired = interleaved ? [batch, heads, length, half, 2] : [batch, heads, length, 2, half]
  const axis = interleaved ? 4 : 3
  const pairs = ops.Split(ops.Reshape(moved!, paired), [1, 1], axis)
  const [a, b] = pairs.map((own) => ops.Reshape(own, [batch, heads, length, half])) as [Value, Value]
  const real = ops.Sub(ops.Mul(a, cos), ops.Mul(b, sin))
  const imaginary = ops.Add(ops.Mul(a, sin), ops.Mul(b, cos))
  const joined = ops.Concat([ops.Unsqueeze(real, [axis]), ops.Unsqueeze(imaginary, [axis])], axis)
  const back = ops.Reshape(joined, [batch, heads, length, turned])
  const result = kept ? ops.Concat([back, kept], 3) : back
  return [flat ? ops.Reshape(ops.Transpose(result, [0, 2, 1, 3]), whole.shape) : result]
}
