/** Reductions: cases of their gradients. */
import type { Input } from '../gradient-check.ts'
import { any, apart, type Case, listed, node, positive } from './case.ts'

const reductions = (op: string, input: (...shape: number[]) => Input): Case[] => [
  ['all axes', [input(3, 4)], node(op, { keepdims: 0 })],
  ['one axis', [input(2, 3, 4)], listed(op, [[1]])],
  ['two axes, dropped', [input(2, 3, 4)], listed(op, [[0, -1]], { keepdims: 0 })],
  ['no axes as identity', [input(2, 3)], node(op, { noop_with_empty_axes: 1 })],
]

/** Entries away from 0 but for some. */
function withZeros(shape: number[], places: number[]): Input {
  const input = apart(...shape)
  for (const place of places) input.data[place] = 0
  return input
}

export const reduction: Record<string, Case[]> = {
  ReduceSum: reductions('ReduceSum', any),
  ReduceMean: reductions('ReduceMean', any),
  ReduceSumSquare: reductions('ReduceSumSquare', any),
  ReduceL1: reductions('ReduceL1', apart),
  ReduceL2: reductions('ReduceL2', any),
  ReduceLogSumExp: [
    ...reductions('ReduceLogSumExp', any),
    ['over the other classes', [any(3, 4)], (ops, x) => ops.ReduceLogSumExp(ops.Slice(x!, [1], [4], [1]), [1], 0)],
  ],
  ReduceLogSum: reductions('ReduceLogSum', positive),
  ReduceProd: [
    ...reductions('ReduceProd', apart),
    ['one zero', [withZeros([2, 3], [1])], listed('ReduceProd', [[1]])],
    ['two zeros', [withZeros([2, 3], [1, 2])], listed('ReduceProd', [[1]])],
  ],
  ReduceMax: reductions('ReduceMax', apart),
  ReduceMin: [...reductions('ReduceMin', apart), ['rows', [apart(3, 4)], (ops, x) => ops.ReduceMin(x!, [1])]],
}
