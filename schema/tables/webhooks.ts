/** Webhooks of submitters. Their secrets are derived from the server's, and stored nowhere. */
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { WebhookEvent } from '../api/webhook.ts'

export const webhooks = sqliteTable(
  'webhooks',
  {
    id: text().primaryKey(),
    /** Its owner, who is told about the submissions of this token. */
    tokenId: text().notNull(),
    url: text().notNull(),
    events: text({ mode: 'json' }).$type<WebhookEvent[]>().notNull(),
    createdAt: integer().notNull(),
    /** Since when no attempt succeeded. */
    failingSince: integer(),
    disabledAt: integer(),
    disabledReason: text(),
  },
  (table) => [index('webhooks_token').on(table.tokenId)],
)
