/** What kept boards have not taken in yet: submissions whose runs changed. Triggers write it
 *  (worker/migrations/0002_boards.sql), in the transaction of the change and whichever statement makes it; a board that takes a
 *  change in removes its row. Private submissions are on no board, so nothing is written for them. */
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'

export const boardChanges = sqliteTable(
  'board_changes',
  {
    definitionSha256: text().notNull(),
    submissionId: text().notNull(),
    /** Of changes, so that one that came while a board was computed is not lost. */
    count: integer().notNull().default(1),
  },
  (table) => [primaryKey({ columns: [table.definitionSha256, table.submissionId] })],
)
