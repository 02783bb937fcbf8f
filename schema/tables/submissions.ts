/** Submissions: one method with its resolved parameters, for one benchmark or suite, by one author. */
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { type Tuning, visibilities, withdrawers } from '../api/submission.ts'

export const submissions = sqliteTable(
  'submissions',
  {
    /** Order of creation; the queue is served in this order. */
    sequence: integer().primaryKey({ autoIncrement: true }),
    id: text().notNull().unique(),
    /** The slug that was named: of a benchmark, or of a suite. */
    benchmark: text().notNull(),
    method: text().notNull(),
    methodVersion: integer().notNull(),
    /** Every parameter, defaults and presets filled in. */
    params: text({ mode: 'json' }).$type<Record<string, unknown>>().notNull(),
    label: text().notNull(),
    author: text().notNull(),
    /** The token that created it. */
    tokenId: text().notNull(),
    /** A private one is for its token and admins alone. */
    visibility: text({ enum: visibilities }).notNull(),
    priority: integer().notNull().default(0),
    createdAt: integer().notNull(),
    /** When webhooks were told that all of its runs have ended. */
    announcedAt: integer(),
    /** When it left the boards, by whom and why; null for one that did not. */
    withdrawnAt: integer(),
    withdrawnBy: text({ enum: withdrawers }),
    withdrawnReason: text(),
    /** What its author says that choosing the parameters cost; null where nothing was said. */
    tuning: text({ mode: 'json' }).$type<Tuning>(),
  },
  (table) => [index('submissions_benchmark').on(table.benchmark, table.method)],
)
