/** Boards as they were computed last, in parts that are read by themselves: see worker/queries/boards/kept.ts. */
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'

export const boards = sqliteTable(
  'boards',
  {
    /** `head`, `ground`, `board`, or `method/` and its id. */
    part: text().notNull(),
    /** Of a benchmark or a suite. */
    slug: text().notNull(),
    /** A part is JSON that may be longer than D1's 2 MB a row: these are its pieces, in order. */
    piece: integer().notNull(),
    /** Of the computation; all parts of a board have the same. */
    version: text().notNull(),
    json: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.part, table.slug, table.piece] }), index('boards_slug').on(table.slug)],
)
