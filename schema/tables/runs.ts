/** Runs: one seed of a submission. A run's state follows from its jobs and is not stored. */
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { submissions } from './submissions.ts'

export const runs = sqliteTable(
  'runs',
  {
    id: text().primaryKey(),
    submissionId: text()
      .notNull()
      .references(() => submissions.id),
    seed: integer().notNull(),
    /** Place of the seed in its submission: first seeds of everything are leased before second seeds of anything. */
    ordinal: integer().notNull(),
    cancelledAt: integer(),
  },
  (table) => [index('runs_submission').on(table.submissionId)],
)
