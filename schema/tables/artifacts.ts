/** Artifacts and evidence by SHA-256. A row stands for bytes that were verified; they lie in R2 under `path`, which no other
 *  upload writes to. */
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

export const artifacts = sqliteTable(
  'artifacts',
  {
    sha256: text().primaryKey(),
    bytes: integer().notNull(),
    path: text().notNull(),
    /** When a runner last sent it, or was told that it is there. */
    touchedAt: integer().notNull(),
  },
  (table) => [index('artifacts_touched').on(table.touchedAt)],
)
