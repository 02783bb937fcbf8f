/** Reductions over some axes, or over all where none are given. */
import { givenAxes, type Inference, normalAxis } from '../geometry.ts'
import { numberOf } from '../graph.ts'

const reduction: Inference = (context) => {
  const { node, x } = context
  const { type, shape } = x[0]
  const given = givenAxes(context)
  const noop = given.length === 0 && numberOf(node, 'noop_with_empty_axes', 0) === 1
  const axes = new Set(
    (given.length > 0 ? given : noop ? [] : shape.map((_, axis) => axis)).map((axis) => normalAxis(axis, shape.length)),
  )
  const keep = numberOf(node, 'keepdims', 1) === 1
  return [
    {
      type,
      shape: keep
        ? shape.map((extent, axis) => (axes.has(axis) ? 1 : extent))
        : shape.filter((_, axis) => !axes.has(axis)),
    },
  ]
}

const argReduction: Inference = ({ node, x }) => {
  const { shape } = x[0]
  const axis = normalAxis(numberOf(node, 'axis', 0), shape.length)
  const keep = numberOf(node, 'keepdims', 1) === 1
  return [
    {
      type: 'int64',
      shape: keep ? shape.map((extent, i) => (i === axis ? 1 : extent)) : shape.filter((_, i) => i !== axis),
    },
  ]
}

export {
  argReduction as ArgMax,
  argReduction as ArgMin,
  reduction as ReduceL1,
  reduction as ReduceL2,
  reduction as ReduceLogSum,
  reduction as ReduceLogSumExp,
  reduction as ReduceMax,
  reduction as ReduceMean,
  reduction as ReduceMin,
  reduction as ReduceProd,
  reduction as ReduceSum,
  reduction as ReduceSumSquare,
}
