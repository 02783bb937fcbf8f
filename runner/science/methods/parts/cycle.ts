/** Portions of endless reshuffled passes, for methods that take turns between two sets. */
import type { RandomStream } from '../../method.ts'

/** Gives the next so many items; a pass that ends within a portion is followed by another. */
export function cycle(items: Int32Array, random: RandomStream): (count: number) => Int32Array {
  let order = random.shuffle(items)
  let at = 0
  return (count) =>
    Int32Array.from({ length: count }, () => {
      if (at === order.length) [order, at] = [random.shuffle(items), 0]
      return order[at++]!
    })
}
