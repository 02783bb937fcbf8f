/** What a schema found wrong, in one line. */
import type { z } from 'zod'

/** What is wrong first. */
export function faultIn(error: z.core.$ZodError, verb: string): string {
  const { path, message } = error.issues[0]!
  return `${[verb, ...path].map(String).join('.')}: ${message.replace(/^(Invalid|Too \w+)[^:]*: /, '')}`
}
