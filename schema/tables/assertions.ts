/** Assertions that were used and could still be repeated; rows are deleted once they have expired anyway. */
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { runners } from './runners.ts'

export const assertions = sqliteTable(
  'assertions',
  {
    runnerId: text()
      .notNull()
      .references(() => runners.id),
    jti: text().notNull(),
    expiresAt: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.runnerId, table.jti] })],
)
