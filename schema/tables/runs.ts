/** Runs: one seed of a submission on one benchmark. A run's state follows from its jobs and is not stored. */
import { sql } from 'drizzle-orm'
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import { submissions } from './submissions.ts'

export const runs = sqliteTable(
  'runs',
  {
    id: text().primaryKey(),
    submissionId: text()
      .notNull()
      .references(() => submissions.id),
    benchmark: text().notNull(),
    /** Of what determines the benchmark's results; a board shows the runs of one definition only. */
    definitionSha256: text().notNull(),
    seed: integer().notNull(),
    /** Place of the seed in its submission: first seeds of everything are leased before second seeds of anything. */
    ordinal: integer().notNull(),
    /** Place of the benchmark in its suite: of equal seeds, first classes are leased before second ones. */
    part: integer().notNull(),
    cancelledAt: integer(),
    /** Of a run that others are shown beside, such as `retrain@1`: it is nobody's own, and there is one. Null for all others. */
    reference: text(),
    /** The end that webhooks were told of; null while the run has not ended. */
    announced: text({ enum: ['done', 'failed', 'cancelled'] }),
  },
  (table) => [
    index('runs_submission').on(table.submissionId, table.definitionSha256, table.seed),
    index('runs_benchmark').on(table.benchmark, table.definitionSha256),
    uniqueIndex('runs_reference')
      .on(table.benchmark, table.definitionSha256, table.reference, table.seed)
      .where(sql`reference IS NOT NULL`),
  ],
)
