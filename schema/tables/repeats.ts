/** Stages that are computed once more, by another runner than the one whose result counts, and what the comparison found. */
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { jobs } from './jobs.ts'

export const verdicts = ['agrees', 'differs'] as const

export const repeats = sqliteTable(
  'repeats',
  {
    /** Of the stage `repeat: 1`. */
    jobKey: text()
      .primaryKey()
      .references(() => jobs.key),
    /** Of the stage whose result counts. */
    ofKey: text()
      .notNull()
      .references(() => jobs.key),
    chosenAt: integer().notNull(),
    /** Null until both results are there. */
    verdict: text({ enum: verdicts }),
    /** What was compared, and how far apart it is. */
    detail: text(),
    endedAt: integer(),
  },
  (table) => [index('repeats_of').on(table.ofKey)],
)
