/** Logs of deliveries in pieces. New chunks lie here; older ones are joined in R2 under `logs/<job>/<attempt>/`, one row a
 *  joined piece. */
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { jobs } from './jobs.ts'

export const logChunks = sqliteTable(
  'log_chunks',
  {
    jobKey: text()
      .notNull()
      .references(() => jobs.key),
    /** The delivery that wrote it. */
    attempt: integer().notNull(),
    /** UTF-8 bytes of the log before it. */
    offset: integer().notNull(),
    bytes: integer().notNull(),
    /** Line breaks before it in its log, and those in it. */
    line: integer().notNull(),
    lines: integer().notNull(),
    sha256: text().notNull(),
    /** Null once it lies in R2. */
    text: text(),
  },
  (table) => [primaryKey({ columns: [table.jobKey, table.attempt, table.offset] })],
)
