/** Text that should be JSON. */

/** Null for what is none, which the shape that checks it then refuses in its own words. */
export function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
