/** What was created under an `Idempotency-Key`, so that a request that is repeated creates nothing. */
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'

export const idempotencyKeys = sqliteTable(
  'idempotency_keys',
  {
    /** The token that sent it: keys of others are other keys. */
    tokenId: text().notNull(),
    keySha256: text().notNull(),
    /** Of verb, path and body, to tell a repeated request from another one under the same key. */
    requestSha256: text().notNull(),
    /** Id of what was created. */
    created: text().notNull(),
    createdAt: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tokenId, table.keySha256] })],
)
