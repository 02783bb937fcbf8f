/** Which artifacts are named by what: retention removes no artifact that has a row here. */
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { jobs } from './jobs.ts'

/** `result` and `late` are shown on run pages; `checkpoint` is the newest of a job that is not done. */
export const uses = ['result', 'late', 'checkpoint'] as const

export const artifactUses = sqliteTable(
  'artifact_uses',
  {
    jobKey: text()
      .notNull()
      .references(() => jobs.key),
    /** The delivery that named it. */
    attempt: integer().notNull(),
    use: text({ enum: uses }).notNull(),
    sha256: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.jobKey, table.attempt, table.use, table.sha256] }),
    index('artifact_uses_sha256').on(table.sha256),
    index('artifact_uses_use').on(table.use),
  ],
)
