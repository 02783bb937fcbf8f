/** Sums of products over letters. */

import { einsumLetters } from '../einsum.ts'
import type { Inference } from '../geometry.ts'

export const Einsum: Inference = ({ node, x }) => {
  const { result, extents } = einsumLetters(node, x)
  return [{ type: x[0].type, shape: [...result].map((letter) => extents.get(letter) ?? 1) }]
}
