/** Lengths that the compiler can't see: how many inputs a node has, how many entries a list. */
import { describe, type Node } from './graph.ts'

interface Tuples<T> {
  1: [T]
  2: [T, T]
  3: [T, T, T]
  4: [T, T, T, T]
  5: [T, T, T, T, T]
}

/** A list whose first `Count` entries are there. */
export type AtLeast<Count extends keyof Tuples<never>, T> = readonly [...Tuples<T>[Count], ...T[]]

/** Entry `index` of a list that is long enough; from the end where it is negative. */
export function at<T>(list: readonly T[], index: number): T {
  const entry = list.at(index)
  if (entry === undefined) throw new Error(`expected an entry ${index} in a list of ${list.length}`)
  return entry
}

/** A rule for ops with at least `count` inputs; an error names a node that has fewer. */
export const withInputs =
  <Count extends keyof Tuples<never>, Context extends { node: Node; x: readonly unknown[] }, Result>(
    count: Count,
    rule: (context: Omit<Context, 'x'> & { x: AtLeast<Count, Context['x'][number]> }) => Result,
  ) =>
  (context: Context): Result => {
    const { node, x } = context
    if (x.length < count) throw new Error(`${describe(node)}: expected at least ${count} inputs, got ${x.length}`)
    return rule({ ...context, x: x as AtLeast<Count, Context['x'][number]> })
  }
