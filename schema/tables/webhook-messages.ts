/** What is to be sent to webhooks: written in the same transaction as the change that it tells of. */
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { messageStates, webhookEvents } from '../api/webhook.ts'
import { webhooks } from './webhooks.ts'

export const webhookMessages = sqliteTable(
  'webhook_messages',
  {
    /** Order of writing. */
    sequence: integer().primaryKey({ autoIncrement: true }),
    id: text().notNull().unique(),
    webhookId: text()
      .notNull()
      .references(() => webhooks.id),
    type: text({ enum: webhookEvents }).notNull(),
    /** JSON as it is sent and signed, byte for byte. */
    payload: text().notNull(),
    createdAt: integer().notNull(),
    state: text({ enum: messageStates }).notNull(),
    /** Attempts since it was written or replayed. */
    tries: integer().notNull(),
    /** Null unless it is pending. */
    nextAt: integer(),
  },
  (table) => [index('webhook_messages_due').on(table.nextAt), index('webhook_messages_webhook').on(table.webhookId)],
)
