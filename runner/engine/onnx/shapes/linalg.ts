/** Products of matrices. */
import { at, withInputs } from '../arity.ts'
import { broadcastShapes, type Inference } from '../geometry.ts'
import { describe, numberOf } from '../graph.ts'

export const MatMul: Inference = withInputs(2, ({ node, x: [a, b] }) => {
  const left = a.shape.length === 1 ? [1, ...a.shape] : a.shape
  const right = b.shape.length === 1 ? [...b.shape, 1] : b.shape
  if (left.at(-1) !== right.at(-2)) throw new Error(`${describe(node)}: [${a.shape}] x [${b.shape}] do not multiply`)
  const batch = broadcastShapes(left.slice(0, -2), right.slice(0, -2))
  return [
    {
      type: a.type,
      shape: [
        ...batch,
        ...(a.shape.length === 1 ? [] : [at(left, -2)]),
        ...(b.shape.length === 1 ? [] : [at(right, -1)]),
      ],
    },
  ]
})

export const Gemm: Inference = withInputs(2, ({ node, x: [a, b] }) => {
  const rows = at(a.shape, numberOf(node, 'transA', 0) ? 1 : 0)
  const columns = at(b.shape, numberOf(node, 'transB', 0) ? 0 : 1)
  return [{ type: a.type, shape: [rows, columns] }]
})
