/** The header Range, of which one form is served. */
import { ApiError } from '../../schema/errors.ts'

/** Of the form `bytes=from-to`, the end left out or not; other forms are not served, so the answer is the whole. */
export function rangeOf(header: string | undefined, bytes: number): { offset: number; length: number } | null {
  const [, from, to] = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(header ?? '') ?? []
  if (from === undefined) return null
  const offset = Number(from)
  const last = Math.min(to ? Number(to) : bytes - 1, bytes - 1)
  if (offset > last) {
    throw new ApiError('range_not_satisfiable', `expected a range within ${bytes} bytes, got ${header}`)
  }
  return { offset, length: last - offset + 1 }
}
