/** Gradients of reductions: the reduced gradient spread back over the reduced axes. */

import { givenAxes, normalAxis } from '../../onnx/geometry.ts'
import { numberOf, type Value } from '../../onnx/graph.ts'
import { sizeOf } from '../../onnx/tensor.ts'
import type { Rule, RuleContext } from './parts/rule.ts'

/** Shape of the reduction's result with reduced axes kept as 1. */
function keptShape(context: RuleContext): number[] {
  const { node, x } = context
  const { shape } = x[0]
  const given = givenAxes(context)
  if (given.length === 0 && numberOf(node, 'noop_with_empty_axes', 0) === 1) return [...shape]
  const axes = new Set(
    (given.length > 0 ? given : shape.map((_, axis) => axis)).map((axis) => normalAxis(axis, shape.length)),
  )
  return shape.map((extent, axis) => (axes.has(axis) ? 1 : extent))
}

const reducedAxes = ({ shape }: Value, kept: Value) =>
  kept.shape.flatMap((extent, axis) => (extent === shape[axis] ? [] : [axis]))

const wrapReduction =
  (gradient: (context: RuleContext, dy: Value, y: Value, count: number) => Value): Rule =>
  (context) => {
    const {
      ops,
      x: [x],
      y: [y],
      dy,
    } = context
    const kept = keptShape(context)
    return [
      ops.Expand(
        gradient(context, ops.Reshape(dy, kept), ops.Reshape(y, kept), sizeOf(x.shape) / sizeOf(kept)),
        x.shape,
      ),
    ]
  }

export const ReduceSum = wrapReduction((_, dy) => dy)
export const ReduceMean = wrapReduction(({ ops }, dy, _, count) => ops.Div(dy, count))
export const ReduceSumSquare = wrapReduction(({ ops, x: [x] }, dy) => ops.Mul(dy, ops.Mul(x, 2)))
export const ReduceL1 = wrapReduction(({ ops, x: [x] }, dy) => ops.Mul(dy, ops.Sign(x)))
/** A zero vector gets the gradient zero. */
export const ReduceL2 = wrapReduction(({ ops, x: [x] }, dy, y) =>
  ops.Mul(dy, ops.Div(x, ops.Where(ops.Equal(y, 0), 1, y))),
)
export const ReduceLogSumExp = wrapReduction(({ ops, x: [x] }, dy, y) => ops.Mul(dy, ops.Exp(ops.Sub(x, y))))

export const ReduceLogSum = wrapReduction(({ ops }, dy, y) => ops.Div(dy, ops.Exp(y)))

/** Each entry's is the product of the others: of all but one where that one is 0, and 0 where two are. */
export const ReduceProd = wrapReduction(({ ops, x: [x] }, dy, y) => {
  const axes = reducedAxes(x, y)
  const zero = ops.Equal(x, 0)
  const others = ops.Where(zero, 1, x)
  const zeros = ops.ReduceSum(ops.Cast(zero, dy.type), axes)
  const product = ops.emit('ReduceProd', [others, ops.list(axes)], { noop_with_empty_axes: 1 })[0]
  const single = ops.Where(ops.Equal(zeros, 1), product, 0)
  return ops.Mul(dy, ops.Where(zero, single, ops.Where(ops.Equal(zeros, 0), ops.Div(product, others), 0)))
})

/** Entries that tie for the extreme share its gradient equally, as PyTorch's `amax` does. */
const extreme = wrapReduction(({ ops, x: [x] }, dy, y) => {
  const wins = ops.Equal(x, y)
  return ops.Where(wins, ops.Div(dy, ops.ReduceSum(ops.Cast(wins, dy.type), reducedAxes(x, y))), 0)
})
export const ReduceMax = extreme
export const ReduceMin = extreme
