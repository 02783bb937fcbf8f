/** Where in a file a part of what it describes is written. */

/** Line and column of the innermost key of a path that the text has in that order, such as `4:7`. */
export function placeOfPath(text: string, path: readonly PropertyKey[]): string {
  let at = Math.max(0, text.search(/export\s+default/))
  for (const key of path) {
    const found = text.slice(at).search(new RegExp(`\\b${String(key).replace(/\W/g, '')}\\b\\s*[:({,]`))
    if (found >= 0) at += found
  }
  const before = text.slice(0, at).split('\n')
  return `${before.length}:${before.at(-1)!.length + 1}`
}
