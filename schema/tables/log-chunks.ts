/** Chunks of job logs: where each begins and how long it is, in bytes and in lines. The text lies in R2 under `logs/<job>/<attempt>/<offset>`. */
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { jobs } from './jobs.ts'

export const logChunks = sqliteTable(
  'log_chunks',
  {
    jobKey: text()
      .notNull()
      .references(() => jobs.key),
    /** The delivery that wrote it, counted from 1. */
    attempt: integer().notNull(),
    offset: integer().notNull(),
    bytes: integer().notNull(),
    /** Line breaks before it in its log, and those in it. */
    line: integer().notNull(),
    lines: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.jobKey, table.attempt, table.offset] })],
)
