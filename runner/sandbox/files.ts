/** The files that run inside beside a method's own: those of `inside/`, and pure ones of this house that built-in methods use too. */
import { readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { stripTypes } from './source.ts'

const runner = dirname(import.meta.dirname)

const OFFERED = new Set([
  'sandbox/inside/border.ts',
  'sandbox/inside/entry.ts',
  'sandbox/inside/packing.ts',
  'sandbox/inside/trainer.ts',
  'science/expression.ts',
  'science/mask.ts',
  'science/tasks/classification/values.ts',
  'science/weight-values.ts',
  'science/weights.ts',
])

export const ENTRY = 'sandbox/inside/entry.ts'

/** Before the name of what may not be imported. */
const REFUSED = 'refused:'

/** As one of them names another. */
export function fileNamed(from: string, name: string): string {
  const path = posix.join(posix.dirname(from), name)
  return OFFERED.has(from) && OFFERED.has(path) ? path : `${REFUSED}${name}`
}

const known = new Map<string, string>()

/** As JavaScript. Throws for what is none of them. */
export function textOf(path: string): string {
  if (!OFFERED.has(path))
    throw new Error(`expected a file that imports nothing, got an import of "${path.slice(REFUSED.length)}"`)
  const text = known.get(path) ?? stripTypes(readFileSync(join(runner, path), 'utf8'))
  known.set(path, text)
  return text
}
