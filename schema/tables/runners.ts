/** Runners as they last showed themselves. */
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { Probe } from '../probe.ts'

export const runners = sqliteTable(
  'runners',
  {
    tokenId: text().notNull(),
    name: text().notNull(),
    probe: text({ mode: 'json' }).$type<Probe>().notNull(),
    lastSeenAt: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tokenId, table.name] })],
)
