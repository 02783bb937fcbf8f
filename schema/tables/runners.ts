/** Runners as they last showed themselves. */
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { Device } from '../result.ts'

export const runners = sqliteTable(
  'runners',
  {
    tokenId: text().notNull(),
    name: text().notNull(),
    device: text({ mode: 'json' }).$type<Device>().notNull(),
    lastSeenAt: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tokenId, table.name] })],
)
