/** Gradients of matrix products. */

import { at, withInputs } from '../../onnx/arity.ts'
import { broadcastShapes } from '../../onnx/geometry.ts'
import { numberOf, type Value } from '../../onnx/graph.ts'
import type { Ops } from '../../onnx/ops.ts'
import { sizeOf } from '../../onnx/tensor.ts'
import type { Rule } from './parts/rule.ts'

const swapLast = (ops: Ops, x: Value): Value => {
  const rank = x.shape.length
  return ops.Transpose(x, [...x.shape.keys()].slice(0, -2).concat(rank - 1, rank - 2))
}

/** da = dy b^T, db = a^T dy. A vector counts as one row on the left and as one column on the right. */
export const MatMul: Rule = withInputs(2, ({ ops, x: [a, b], dy, needs }) => {
  const left = a.shape.length === 1 ? ops.Reshape(a, [1, ...a.shape]) : a
  const right = b.shape.length === 1 ? ops.Reshape(b, [...b.shape, 1]) : b
  const [m, k, n] = [at(left.shape, -2), at(left.shape, -1), at(right.shape, -1)]
  const batch = broadcastShapes(left.shape.slice(0, -2), right.shape.slice(0, -2))
  const product = ops.Reshape(dy, [...batch, m, n])
  const da = () => {
    const gradient = ops.MatMul(product, swapLast(ops, right))
    return a.shape.length === 1 ? ops.Reshape(gradient, [...batch, k]) : gradient
  }
  const db = () => {
    if (b.shape.length === 1) {
      return ops.Reshape(ops.MatMul(swapLast(ops, left), product), [...batch, k])
    }
    if (b.shape.length > 2 || a.shape.length < 3) return ops.MatMul(swapLast(ops, left), product)
    // One matrix for a whole batch: [..., m, k] and [..., m, n] multiply over all rows at once.
    const rows = sizeOf(batch) * m
    return ops.Gemm(ops.Reshape(left, [rows, k]), ops.Reshape(product, [rows, n]), null, { transA: 1 })
  }
  return [needs(0) ? da() : null, needs(1) ? db() : null]
})

/** y = alpha a' b' + beta c, where ' transposes if asked: da' = alpha dy b'^T, db' = alpha a'^T dy, dc = beta dy. */
export const Gemm: Rule = withInputs(2, ({ ops, node, x: [a, b, c], dy, needs }) => {
  const alpha = numberOf(node, 'alpha', 1)
  const beta = numberOf(node, 'beta', 1)
  const transA = numberOf(node, 'transA', 0)
  const transB = numberOf(node, 'transB', 0)
  const multiply = (left: Value, right: Value, turnLeft: number, turnRight: number) =>
    ops.Gemm(left, right, null, { alpha, transA: turnLeft, transB: turnRight })
  const da = () => (transA ? multiply(b, dy, transB, 1) : multiply(dy, b, 0, 1 - transB))
  const db = () => (transB ? multiply(dy, a, 1, transA) : multiply(a, dy, 1 - transA, 0))
  const dc = () => (beta === 1 ? dy : ops.Mul(dy, beta))
  return [needs(0) ? da() : null, needs(1) ? db() : null, c && needs(2) ? dc() : null]
})
