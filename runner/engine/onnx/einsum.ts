/** The equation of an Einsum, read against its operands: what stands under `...` gets letters of its own. */
import { at } from './arity.ts'
import { describe, type Node, stringOf, type Value } from './graph.ts'

export interface EinsumLetters {
  /** A letter for each axis of each operand. */
  terms: string[]
  /** A letter for each axis of the result. */
  result: string
  extents: Map<string, number>
}

const FREE = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'

export function einsumLetters(node: Node, x: readonly Value[]): EinsumLetters {
  const equation = stringOf(node, 'equation', '').replaceAll(' ', '')
  const fault = (what: string) =>
    new Error(
      `${describe(node)}: the equation ${equation} ${what}; operands are ${x.map(({ shape }) => `[${shape}]`).join(', ')}`,
    )
  const [left = '', right] = equation.split('->')
  const given = left.split(',')
  if (given.length !== x.length) throw fault(`has ${given.length} terms for ${x.length} operands`)
  const unused = [...FREE].filter((letter) => !equation.includes(letter))
  const hidden = given.map((term, i) =>
    term.includes('...') ? at(x, i).shape.length - term.replace('...', '').length : 0,
  )
  const widest = Math.max(0, ...hidden)
  const broadcast = unused.slice(0, widest).join('')
  const terms = given.map((term, i) => term.replace('...', broadcast.slice(widest - at(hidden, i))))
  const extents = new Map<string, number>()
  terms.forEach((term, i) => {
    const { shape } = at(x, i)
    if (term.length !== shape.length) throw fault(`names ${term.length} axes of operand ${i}`)
    for (const [axis, letter] of [...term].entries()) {
      const [extent, known] = [at(shape, axis), extents.get(letter) ?? 1]
      if (known !== 1 && extent !== 1 && known !== extent)
        throw fault(`gives ${letter} the extents ${known} and ${extent}`)
      extents.set(letter, Math.max(known, extent))
    }
  })
  // Without an arrow, the letters that occur once, in the order of the alphabet.
  const all = left.replaceAll(/[.,]/g, '')
  const once = [...new Set(all)]
    .filter((letter) => all.split(letter).length === 2)
    .sort()
    .join('')
  return { terms, result: right?.replace('...', broadcast) ?? `${broadcast}${once}`, extents }
}
