/** Which jobs a run needs, in the order in which they run. */
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { jobs } from './jobs.ts'
import { runs } from './runs.ts'

export const runJobs = sqliteTable(
  'run_jobs',
  {
    runId: text()
      .notNull()
      .references(() => runs.id),
    jobKey: text()
      .notNull()
      .references(() => jobs.key),
    position: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.position] }), index('run_jobs_job').on(table.jobKey)],
)
