/** Gradients of reductions: the reduced gradient spread back over the reduced axes. */

import { normalAxis } from '../../onnx/geometry.ts'
import { listOf, numberOf, type Value } from '../../onnx/graph.ts'
import { numbersOf, sizeOf } from '../../onnx/tensor.ts'
import type { Rule, RuleContext } from './parts/rule.ts'

/** Shape of the reduction's result with reduced axes kept as 1. */
function keptShape({ node, x: [x], constant }: RuleContext): number[] {
  const { shape } = x
  const content = constant(1)
  const given = content ? numbersOf(content) : listOf(node, 'axes', [])
  if (given.length === 0 && numberOf(node, 'noop_with_empty_axes', 0) === 1) return [...shape]
  const axes = new Set(
    (given.length > 0 ? given : shape.map((_, axis) => axis)).map((axis) => normalAxis(axis, shape.length)),
  )
  return shape.map((extent, axis) => (axes.has(axis) ? 1 : extent))
}

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

/** Entries that tie for the extreme share its gradient equally, as PyTorch's `amax` does. */
const extreme = wrapReduction(({ ops, x: [x] }, dy, y) => {
  const wins = ops.Equal(x, y)
  const axes = y.shape.flatMap((extent, axis) => (extent === x.shape[axis] ? [] : [axis]))
  return ops.Where(wins, ops.Div(dy, ops.ReduceSum(ops.Cast(wins, dy.type), axes)), 0)
})
export const ReduceMax = extreme
export const ReduceMin = extreme
