/** The gradient of Resize. Each entry of the result is a sum of a few entries along each axis in turn, so the gradient goes back
 *  through the transposed matrix of every axis that was resized. */

import { at } from '../../onnx/arity.ts'
import type { Node, Value } from '../../onnx/graph.ts'
import type { Ops } from '../../onnx/ops.ts'
import { type ResizedAxis, resizedAxes, sharesOf } from '../../onnx/resize.ts'
import { arrays, sizeOf, tensor } from '../../onnx/tensor.ts'
import type { Rule } from './parts/rule.ts'

type Shares = ReturnType<typeof sharesOf>[]

/** What each entry of the result is made of. */
const sharesAlong = (node: Node, axis: ResizedAxis): Shares =>
  Array.from({ length: axis.to }, (_, index) => sharesOf(node, axis, index))

/** Whether each entry becomes a block of as many copies. */
const isBlocks = (shares: Shares, { from, to }: ResizedAxis) =>
  shares.every((own, index) => own.length === 1 && own[0]![0] === Math.floor((index * from) / to)) && to % from === 0

/** Sums blocks of copies: [h * f] -> [h, f] -> [h] */
function sumOfBlocks(ops: Ops, dy: Value, axes: readonly ResizedAxis[]): Value {
  const factors = axes.map(({ from, to }) => to / from)
  const split = axes.flatMap(({ from }, i) => [from, at(factors, i)])
  const summed = factors.flatMap((factor, axis) => (factor > 1 ? [2 * axis + 1] : []))
  return ops.Reshape(
    ops.ReduceSum(ops.Reshape(dy, split), summed),
    axes.map(({ from }) => from),
  )
}

/** Multiplies an axis with the transposed matrix of its shares: [..., to, ...] -> [..., from, ...] */
function backAlong(ops: Ops, dy: Value, axis: number, { from, to }: ResizedAxis, shares: Shares): Value {
  const [before, after] = [dy.shape.slice(0, axis), dy.shape.slice(axis + 1)]
  const last = after.length === 0
  const weights = new arrays[dy.type as 'float32'](from * to)
  shares.forEach((own, index) => {
    for (const [place, weight] of own) weights[last ? index * from + place : place * to + index]! += weight
  })
  const matrix = ops.constant(tensor(dy.type, last ? [to, from] : [from, to], weights), 'shares')
  const lines = ops.Reshape(dy, last ? [sizeOf(before), to] : [sizeOf(before), to, sizeOf(after)])
  return ops.Reshape(last ? ops.MatMul(lines, matrix) : ops.MatMul(matrix, lines), [...before, from, ...after])
}

export const Resize: Rule = (context) => {
  const { ops, node, dy } = context
  const axes = resizedAxes(context)
  const shares = axes.map((axis) => sharesAlong(node, axis))
  if (axes.every((axis, i) => isBlocks(at(shares, i), axis))) return [sumOfBlocks(ops, dy, axes)]
  return [
    axes.reduce(
      (gradient, axis, i) => (axis.scale === 1 ? gradient : backAlong(ops, gradient, i, axis, at(shares, i))),
      dy,
    ),
  ]
}
