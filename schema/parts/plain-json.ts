/** What JSON from outside must not hold, whatever its shape. */

/** `{"params": {"epochs": 1}}` has two levels. What reads or writes JSON calls itself once a level. */
export const MAX_LEVELS = 32

interface Inner {
  path: string[]
  value: object
}

const isInner = (value: unknown): value is object => typeof value === 'object' && value !== null

/** Where it is too deep, or has a key that objects would take for their prototype; null where all is well. Goes level by level,
 *  so that no depth is too much for it. */
export function oddityOf(value: unknown): string | null {
  let level: Inner[] = isInner(value) ? [{ path: [], value }] : []
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MAX_LEVELS)
      return `${level[0]!.path[0]!.slice(0, 40)}: expected at most ${MAX_LEVELS} levels of nesting`
    const next: Inner[] = []
    for (const { path, value } of level) {
      if (Object.hasOwn(value, '__proto__'))
        return `${[...path, '__proto__'].join('.')}: objects would take it for their prototype, remove it`
      for (const [key, inner] of Object.entries(value)) {
        if (isInner(inner)) next.push({ path: [...path, key], value: inner })
      }
    }
    level = next
  }
  return null
}
