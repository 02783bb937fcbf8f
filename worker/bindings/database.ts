/** D1 through drizzle. */
import { type DrizzleD1Database, drizzle } from 'drizzle-orm/d1'
import { hexOf } from '../../schema/parts/hash.ts'

export type Database = DrizzleD1Database & { $client: D1Database }

export const databaseOf = (binding: D1Database): Database => drizzle(binding, { casing: 'snake_case' })

/** A statement for D1's own batch, which takes raw ones too: drizzle's `batch` drops their parameters. */
export function prepared({ $client: d1 }: Database, statement: Statement): D1PreparedStatement {
  if (!('toSQL' in statement)) return statement
  const { sql, params } = statement.toSQL()
  return d1.prepare(sql).bind(...params)
}
export type Statement = D1PreparedStatement | { toSQL(): { sql: string; params: unknown[] } }

/** ISO 8601 of a stored time. */
export const isoTime = (ms: number): string => new Date(ms).toISOString()

const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz'

/** Ids sort by time: ten base-32 digits of milliseconds, then eight random ones. */
export function newId(now: number = Date.now()): string {
  let time = ''
  for (let rest = now, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) time = DIGITS[rest % 32] + time
  const random = crypto.getRandomValues(new Uint8Array(8))
  return time + Array.from(random, (byte) => DIGITS[byte % 32]).join('')
}

/** `bytes` random bytes as lower-case hex. */
export const randomHex = (bytes: number): string => hexOf(crypto.getRandomValues(new Uint8Array(bytes)))
