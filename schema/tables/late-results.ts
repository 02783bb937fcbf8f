/** Results of deliveries that ran out and whose job went elsewhere: evidence that no score reads. */
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { StageResult } from '../result.ts'
import { jobs } from './jobs.ts'

export const lateResults = sqliteTable(
  'late_results',
  {
    jobKey: text()
      .notNull()
      .references(() => jobs.key),
    attempt: integer().notNull(),
    runnerId: text().notNull(),
    receivedAt: integer().notNull(),
    result: text({ mode: 'json' }).$type<StageResult>().notNull(),
    /** Compact JWS of it, by the runner. */
    manifest: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.jobKey, table.attempt] })],
)
