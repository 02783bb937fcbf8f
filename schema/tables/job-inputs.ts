/** Which jobs a job reads from; a job can be leased once all of them are done. */
import { index, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { jobs } from './jobs.ts'

export const jobInputs = sqliteTable(
  'job_inputs',
  {
    jobKey: text()
      .notNull()
      .references(() => jobs.key),
    inputKey: text()
      .notNull()
      .references(() => jobs.key),
  },
  (table) => [primaryKey({ columns: [table.jobKey, table.inputKey] }), index('job_inputs_input').on(table.inputKey)],
)
