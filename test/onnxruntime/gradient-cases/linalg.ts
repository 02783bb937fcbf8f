/** Products of matrices: cases of their gradients. */
import { any, type Case, node } from './case.ts'

export const linalg: Record<string, Case[]> = {
  MatMul: [
    ['matrices', [any(3, 4), any(4, 2)], node('MatMul')],
    ['batches', [any(2, 3, 4), any(2, 4, 5)], node('MatMul')],
    ['broadcast batches', [any(2, 1, 3, 4), any(5, 4, 2)], node('MatMul')],
    ['one matrix for a batch', [any(2, 5, 3, 4), any(4, 2)], node('MatMul')],
    ['one matrix on the left', [any(3, 4), any(2, 4, 5)], node('MatMul')],
    ['vector and matrix', [any(4), any(4, 2)], node('MatMul')],
    ['matrix and vector', [any(3, 4), any(4)], node('MatMul')],
    ['vectors', [any(4), any(4)], node('MatMul')],
    ['vector and batch', [any(4), any(2, 4, 3)], node('MatMul')],
    ['batch and vector', [any(2, 3, 4), any(4)], node('MatMul')],
  ],
  Gemm: [0, 1]
    .flatMap((transA) =>
      [0, 1].map(
        (transB): Case => [
          `transA ${transA}, transB ${transB}`,
          [transA ? any(3, 2) : any(2, 3), transB ? any(4, 3) : any(3, 4), any(4)],
          node('Gemm', { transA, transB, alpha: 0.5, beta: 1.5 }),
        ],
      ),
    )
    .concat([
      ['without c', [any(2, 3), any(3, 4)], node('Gemm')],
      ['column c', [any(2, 3), any(3, 4), any(2, 1)], node('Gemm')],
      ['scalar c', [any(2, 3), any(3, 4), any()], node('Gemm')],
    ]),
}
