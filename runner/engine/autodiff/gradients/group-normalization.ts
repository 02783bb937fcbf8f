/** Normalization of each group of channels of each example, with xh = (x - mean) / s and s = sqrt(variance + epsilon). In training
 *  it's a function of the domain `palimpsest` that keeps x - mean for its gradient: onnxruntime writes the standard op out in
 *  many small ones. */

import { at, withInputs } from '../../onnx/arity.ts'
import { callFunction } from '../../onnx/functions.ts'
import { float, type Node, numberOf, type Value } from '../../onnx/graph.ts'
import type { Ops } from '../../onnx/ops.ts'
import { sizeOf } from '../../onnx/tensor.ts'
import { affine, zerosLike } from './parts/pieces.ts'
import type { Rule } from './parts/rule.ts'

/** x - mean [n, groups, rest], and mean and variance [n, groups, 1]. */
function statistics(ops: Ops, x: Value, groups: number) {
  const [n] = x.shape as [number]
  const flat = ops.Reshape(x, [n, groups, sizeOf(x.shape) / (n * groups)])
  const mean = ops.ReduceMean(flat, [2])
  const centred = ops.Sub(flat, mean)
  return { centred, mean, variance: ops.ReduceMean(ops.Mul(centred, centred), [2]) }
}

/** Every example's channels as channels of one example, since their statistics are their own. */
const asChannels = (ops: Ops, x: Value, rows: number): Value => ops.Reshape(x, [1, rows, sizeOf(x.shape) / rows])

/** Group normalization of x [n, c, ...] with scale and bias [c]. */
export function groupNormTraining(
  ops: Ops,
  x: Value,
  scale: Value,
  bias: Value,
  { groups, epsilon }: { groups: number; epsilon: number },
): Value {
  const [n, c] = x.shape as [number, number]
  return callFunction(
    ops,
    {
      name: 'GroupNormTraining',
      variant: `${x.shape.join('x')}_${groups}_${epsilon}`,
      inputs: [x, scale, bias],
      attributes: { epsilon: float(epsilon), num_groups: groups },
    },
    (inner, [x, scale, bias]) => {
      const { centred, mean, variance } = statistics(inner, x, groups)
      const each = (value: Value, shape: number[]) => inner.Reshape(inner.Expand(value, shape), [n * c])
      const perGroup = (value: Value) => each(value, [n, groups, c / groups])
      const perChannel = (value: Value) => each(inner.Reshape(value, [1, c]), [n, c])
      const map = {
        scale: perChannel(scale),
        bias: perChannel(bias),
        mean: perGroup(mean),
        variance: perGroup(variance),
      }
      return [inner.Reshape(affine(inner, asChannels(inner, x, n * c), map, epsilon), x.shape), centred, variance]
    },
  )[0]
}

/** dx = (g - mean(g) - xh * mean(g * xh)) / s with g = dy * scale; means over a group follow from those over its channels. */
function gradients(
  ops: Ops,
  { dy, scale, centred, variance }: Record<'dy' | 'scale' | 'centred' | 'variance', Value>,
  epsilon: number,
): [dx: Value, dScale: Value, dBias: Value] {
  const [n, c] = dy.shape as [number, number]
  const groups = at(centred.shape, 1)
  const points = sizeOf(dy.shape) / (n * c)
  const maps = [n, c, points]
  return callFunction(
    ops,
    {
      name: 'GroupNormGrad',
      variant: `${dy.shape.join('x')}_${groups}_${epsilon}`,
      inputs: [dy, scale, centred, variance],
      attributes: { epsilon: float(epsilon), num_groups: groups },
    },
    (inner, [dy, scale, centred, variance]) => {
      const inverse = inner.Reciprocal(inner.Sqrt(inner.Add(variance, epsilon))) // [n, groups, 1]
      const flat = inner.Reshape(dy, maps)
      const inGroups = (value: Value) => inner.Reshape(value, [n, groups, c / groups])
      const meanDy = inner.ReduceMean(flat, [2], 0) // [n, c]
      const products = inner.Mul(flat, inner.Reshape(centred, maps))
      const meanProduct = inner.Mul(inGroups(inner.ReduceMean(products, [2], 0)), inverse) // of dy * xh
      const scales = inner.Reshape(scale, [1, groups, c / groups])
      const overGroup = (value: Value) => inner.Mul(inner.ReduceMean(inner.Mul(value, scales), [2]), inverse)
      const perGroup = (value: Value) => inner.Reshape(value, [n * groups])
      const rest = {
        scale: perGroup(inner.Neg(overGroup(meanProduct))),
        bias: perGroup(inner.Neg(overGroup(inGroups(meanDy)))),
        mean: zerosLike(inner, perGroup(inverse)),
        variance: perGroup(variance),
      }
      const fromStatistics = affine(inner, asChannels(inner, centred, n * groups), rest, epsilon)
      const direct = inner.Mul(flat, inner.Reshape(inner.Mul(inverse, scales), [n, c, 1]))
      const dx = inner.Reshape(inner.Add(direct, inner.Reshape(fromStatistics, maps)), dy.shape)
      const total = (value: Value) => inner.Mul(inner.ReduceSum(inner.Reshape(value, [n, c]), [0], 0), points)
      return [dx, total(meanProduct), total(meanDy)]
    },
  )
}

const epsilonOf = (node: Node) => numberOf(node, 'epsilon', 1e-5)

export const GroupNormTraining: Rule = withInputs(2, ({ ops, node, x: [, scale], y, dy }) =>
  gradients(ops, { dy, scale, centred: at(y, 1), variance: at(y, 2) }, epsilonOf(node)),
)

/** The rule of a standard op, which keeps nothing. */
const standard = (groupsOf: (channels: number, given: number) => number): Rule =>
  withInputs(2, ({ ops, node, x: [x, scale], dy }) => {
    const { centred, variance } = statistics(ops, x, groupsOf(at(x.shape, 1), numberOf(node, 'num_groups', 1)))
    return gradients(ops, { dy, scale, centred, variance }, epsilonOf(node))
  })

export const GroupNormalization = standard((_, groups) => groups)
export const InstanceNormalization = standard((channels) => channels)
