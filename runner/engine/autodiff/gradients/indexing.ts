/** Gradients of ops that pick entries, or write them, by index: each entry's gradient goes where the entry went. */

import { at, withInputs } from '../../onnx/arity.ts'
import { normalAxis } from '../../onnx/geometry.ts'
import { describe, numberOf, stringOf, type Value } from '../../onnx/graph.ts'
import type { Ops } from '../../onnx/ops.ts'
import { int64s, numbersOf, sizeOf } from '../../onnx/tensor.ts'
import { scatterAdd, zerosLike } from './parts/pieces.ts'
import type { Rule, RuleContext } from './parts/rule.ts'

export const Gather: Rule = withInputs(2, ({ ops, node, x: [x, indices], dy, constant }) => {
  const axis = normalAxis(numberOf(node, 'axis', 0), x.shape.length)
  const content = constant(1)
  if (content?.data.length !== 1) return [scatterAdd(ops, x, ops.Cast(indices, 'int64'), dy, axis)]
  // One constant index: zeros around one slice.
  const extent = at(x.shape, axis)
  const index = normalAxis(at(numbersOf(content), 0), extent)
  const pads = Array<number>(2 * x.shape.length).fill(0)
  pads[axis] = index
  pads[axis + x.shape.length] = extent - 1 - index
  const slice = x.shape.map((size, i) => (i === axis ? 1 : size))
  return [ops.Pad(ops.Reshape(dy, slice), pads)]
})

/** An index that stands alone on its axis hits its entry once, so that nothing needs adding. */
export const GatherElements: Rule = withInputs(2, ({ ops, node, x: [x, indices], dy }) => {
  const axis = normalAxis(numberOf(node, 'axis', 0), x.shape.length)
  const reduction = indices.shape[axis] === 1 ? 'none' : 'add'
  return [ops.ScatterElements(zerosLike(ops, x), indices, dy, axis, reduction)]
})

/** The entries that were chosen take the gradients of the values; indices have none. */
export const TopK: Rule = ({ ops, node, x: [x], y, dy }) => [
  ops.ScatterElements(zerosLike(ops, x), at(y, 1), dy, numberOf(node, 'axis', -1)),
]

/** Indices that name the batch as well: [...batch, ...m, k] -> [...batch, ...m, batch.length + k] */
function withBatch(ops: Ops, indices: Value, rank: number): Value {
  if (rank === 0) return indices
  const front = indices.shape.slice(0, -1)
  const places = Array.from({ length: sizeOf(front) }, (_, place) =>
    front.slice(0, rank).map((extent, axis) => Math.floor(place / sizeOf(front.slice(axis + 1))) % extent),
  ).flat()
  return ops.Concat([ops.constant(int64s([...front, rank], places)), ops.Cast(indices, 'int64')], front.length)
}

export const GatherND: Rule = withInputs(2, ({ ops, node, x: [x, indices], dy }) => {
  const named = withBatch(ops, indices, numberOf(node, 'batch_dims', 0))
  return ops.emit('ScatterND', [zerosLike(ops, x), named, dy], { reduction: 'add' })
})

/** How a node writes, and how what it wrote is found again. */
interface Writing {
  write(target: Value, updates: Value, reduction: string): Value
  find(written: Value): Value
}

/** Entries of the data that were overwritten have no gradient; updates take theirs from where they landed. Of the largest or
 *  smallest, those that tie share it, as in PyTorch; in a product, each takes that of the others. */
function writtenGradients(
  { ops, node, x, y: [y], dy, needs }: RuleContext,
  { write, find }: Writing,
): (Value | null)[] {
  const [data, , updates] = x as [Value, Value, Value]
  const flags = (condition: Value) => ops.Cast(condition, dy.type)
  const reduction = stringOf(node, 'reduction', 'none')
  switch (reduction) {
    case 'none':
      return [needs(0) ? write(dy, zerosLike(ops, updates), 'none') : null, null, needs(2) ? find(dy) : null]
    case 'add':
      return [dy, null, needs(2) ? find(dy) : null]
    case 'max':
    case 'min': {
      const [stays, wins] = [ops.Equal(data, y), ops.Equal(updates, find(y))]
      const share = ops.Div(dy, write(flags(stays), flags(wins), 'add'))
      return [ops.Where(stays, share, 0), null, needs(2) ? ops.Where(wins, find(share), 0) : null]
    }
    case 'mul': {
      const ones = ops.Expand(ops.scalar(dy.type, 1), data.shape)
      const zero = ops.Equal(updates, 0)
      const factors = ops.Where(zero, 1, updates)
      const ofUpdates = () => {
        const product = find(ops.Mul(dy, write(data, factors, 'mul')))
        const zeros = find(write(zerosLike(ops, data), flags(zero), 'add'))
        const single = ops.Where(ops.Equal(zeros, 1), product, 0)
        return ops.Where(zero, single, ops.Where(ops.Equal(zeros, 0), ops.Div(product, factors), 0))
      }
      return [needs(0) ? ops.Mul(dy, write(ones, updates, 'mul')) : null, null, needs(2) ? ofUpdates() : null]
    }
    default:
      throw new Error(
        `no gradient for ${describe(node)} with reduction ${reduction}; expected none, add, mul, max or min`,
      )
  }
}

export const ScatterElements: Rule = (context) => {
  const { ops, node, x } = context
  const indices = at(x, 1)
  const axis = numberOf(node, 'axis', 0)
  return writtenGradients(context, {
    write: (target, updates, reduction) => ops.ScatterElements(target, indices, updates, axis, reduction),
    find: (written) => ops.GatherElements(written, indices, axis),
  })
}

export const ScatterND: Rule = (context) => {
  const { ops, x } = context
  const indices = at(x, 1)
  return writtenGradients(context, {
    write: (target, updates, reduction) => ops.emit('ScatterND', [target, indices, updates], { reduction })[0],
    find: (written) => ops.emit('GatherND', [written, indices])[0],
  })
}
