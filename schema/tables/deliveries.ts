/** Deliveries: every lease of a job and how it ended. */
import { sql } from 'drizzle-orm'
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { outcomes } from '../api/run.ts'
import type { StoredCheckpoint } from '../protocol/checkpoint.ts'
import { failureReasons } from '../protocol/fail.ts'
import { jobs } from './jobs.ts'

export const deliveries = sqliteTable(
  'deliveries',
  {
    jobKey: text()
      .notNull()
      .references(() => jobs.key),
    attempt: integer().notNull(),
    /** Of its first token: no token is ever given twice, however late a request is doubled. */
    tokenSha256: text().notNull().unique(),
    runnerId: text().notNull(),
    /** Its name at that time. */
    runner: text().notNull(),
    leasedAt: integer().notNull(),
    /** That it was given to go on from. */
    checkpoint: text({ mode: 'json' }).$type<StoredCheckpoint>(),
    endedAt: integer(),
    outcome: text({ enum: outcomes }).notNull().default('running'),
    /** When its result was taken out of the count. */
    setAsideAt: integer(),
    /** Set by every end without a result. */
    reason: text({ enum: failureReasons }),
    message: text(),
    /** UTF-8 bytes that came, and the SHA-256 of the whole where the runner sent all of it. */
    logBytes: integer().notNull().default(0),
    logSha256: text(),
    /** Compact JWS of a result, by the runner. */
    manifest: text(),
  },
  (table) => [
    primaryKey({ columns: [table.jobKey, table.attempt] }),
    index('deliveries_running').on(table.runnerId).where(sql`outcome = 'running'`),
    index('deliveries_ended').on(table.runnerId, table.outcome, table.endedAt),
  ],
)
