/** Scores: what metrics say of the evidence of evaluate jobs. A value that is computed anew stands beside the older ones of its
 *  identity; the newest counts. */
import { integer, primaryKey, real, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { jobs } from './jobs.ts'

export const scores = sqliteTable(
  'scores',
  {
    jobKey: text()
      .notNull()
      .references(() => jobs.key),
    /** Id of the metric. */
    metric: text().notNull(),
    /** What the value is exactly. */
    identity: text().notNull(),
    value: real().notNull(),
    /** Who computed it: the id of a runner, or `server`. */
    by: text().notNull(),
    /** Of the software that did. */
    version: text().notNull(),
    computedAt: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.jobKey, table.identity, table.computedAt] })],
)
