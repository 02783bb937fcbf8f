/** Sums of products over letters: cases of their gradients. */
import { any, type Case, node } from './case.ts'

const einsum = (equation: string) => node('Einsum', { equation })

export const einsums: Record<string, Case[]> = {
  Einsum: [
    ['matrices', [any(2, 3), any(3, 4)], einsum('ij,jk->ik')],
    ['batches', [any(2, 3, 4), any(2, 4, 5)], einsum('bij, bjk -> bik')],
    ['heads of attention', [any(2, 3, 2, 4), any(2, 5, 2, 4)], einsum('bqhd,bkhd->bhqk')],
    ['outer product', [any(3), any(4)], einsum('i,j->ij')],
    ['inner product', [any(4), any(4)], einsum('i,i->')],
    ['without an arrow', [any(4, 2), any(3, 4)], einsum('ba,cb')],
    ['transposition', [any(2, 3, 4)], einsum('ijk->kij')],
    ['sum of one operand', [any(3, 4)], einsum('ij->i')],
    ['sum of all', [any(3, 4)], einsum('ij->')],
    ['an axis of one operand alone', [any(2, 3), any(3, 4)], einsum('ij,jk->i')],
    ['three operands', [any(2, 3), any(3, 4), any(4, 2)], einsum('ij,jk,kl->il')],
    ['axes that both have', [any(2, 3, 4), any(2, 4, 5)], einsum('...ij,...jk->...ik')],
    ['axes that only one has', [any(2, 3, 4), any(4, 2)], einsum('...j,jk->...k')],
  ],
}
