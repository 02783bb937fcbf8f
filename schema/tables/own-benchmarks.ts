/** Benchmarks that organisers made at this server. A definition never changes, and no row is removed: runs name it. */
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { Benchmark } from '../benchmark.ts'

export const ownBenchmarks = sqliteTable('own_benchmarks', {
  slug: text().primaryKey(),
  definition: text({ mode: 'json' }).$type<Benchmark>().notNull(),
  /** The name of the token that made it. */
  author: text().notNull(),
  tokenId: text().notNull(),
  createdAt: integer().notNull(),
  /** The version before this one; each is replaced once. */
  replaces: text().unique(),
  /** When it was closed to new submissions, by which token and why; null while it is open. */
  retiredAt: integer(),
  retiredBy: text(),
  retiredReason: text(),
  /** Counts what happened to all rows, with a random word each time: whoever knows the newest word knows all rows. */
  change: integer().notNull().unique(),
  mark: text().notNull(),
})
