/** The gradient of sums of products over letters is one for each operand, with the letters of the result in its place. */
import { at } from '../../onnx/arity.ts'
import { einsumLetters } from '../../onnx/einsum.ts'
import { describe, stringOf } from '../../onnx/graph.ts'
import type { Rule } from './parts/rule.ts'

export const Einsum: Rule = ({ ops, node, x, dy, needs }) => {
  const { terms, result, extents } = einsumLetters(node, x)
  return x.map(({ shape }, index) => {
    if (!needs(index)) return null
    const term = terms[index] ?? ''
    if (new Set(term).size < term.length)
      throw new Error(
        `no gradient for ${describe(node)} with ${stringOf(node, 'equation', '')}, which names two axes of operand ${index} alike`,
      )
    const others = terms.filter((_, other) => other !== index)
    const factors = [dy, ...x.filter((_, other) => other !== index)]
    // Letters that stand nowhere else were summed away alone: their axes get the same gradient everywhere.
    const found = [...term].filter((letter) => [result, ...others].some((other) => other.includes(letter)))
    const equation = `${[result, ...others].join()}->${found.join('')}`
    const [sum] = ops.emit('Einsum', factors, { equation })
    const extent = (letter: string) => extents.get(letter) ?? 1
    const kept = ops.Reshape(
      sum,
      [...term].map((letter) => (found.includes(letter) ? extent(letter) : 1)),
    )
    return ops.Expand(
      kept,
      [...term].map((letter, axis) => (found.includes(letter) ? extent(letter) : at(shape, axis))),
    )
  })
}
