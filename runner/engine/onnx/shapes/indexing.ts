/** Ops that pick entries, or write them, by index. */
import { at, withInputs } from '../arity.ts'
import { constantInts, type Inference, normalAxis, same } from '../geometry.ts'
import { describe, numberOf } from '../graph.ts'
import { numbersOf } from '../tensor.ts'

export const Gather: Inference = withInputs(2, ({ node, x: [data, indices] }) => {
  const axis = normalAxis(numberOf(node, 'axis', 0), data.shape.length)
  return [{ type: data.type, shape: [...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)] }]
})

export const GatherElements: Inference = withInputs(2, ({ x: [{ type }, { shape }] }) => [{ type, shape }])
export const GatherND: Inference = withInputs(2, ({ node, x: [data, indices] }) => {
  const named = numberOf(node, 'batch_dims', 0) + at(indices.shape, -1)
  return [{ type: data.type, shape: [...indices.shape.slice(0, -1), ...data.shape.slice(named)] }]
})
export const TopK: Inference = (context) => {
  const { type, shape } = context.x[0]
  const axis = normalAxis(numberOf(context.node, 'axis', -1), shape.length)
  const count = at(constantInts(context, 1), 0)
  const largest = shape.map((extent, i) => (i === axis ? count : extent))
  return [
    { type, shape: largest },
    { type: 'int64', shape: largest },
  ]
}
export const OneHot: Inference = withInputs(3, ({ node, x: [{ shape }, , values], constant }) => {
  const depth = Number(constant(1)?.data[0])
  const axis = normalAxis(numberOf(node, 'axis', -1), shape.length + 1)
  return [{ type: values.type, shape: [...shape.slice(0, axis), depth, ...shape.slice(axis)] }]
})

export { same as ScatterElements, same as ScatterND }

/** How many entries aren't 0 is known of a constant alone. */
export const NonZero: Inference = ({ node, x: [{ shape }], constant }) => {
  const content = constant(0)
  if (!content) throw new Error(`${describe(node)} needs a constant: how much it finds would depend on the images`)
  return [{ type: 'int64', shape: [shape.length, numbersOf(content).filter((entry) => entry !== 0).length] }]
}
