/** Every attempt to send a message to a webhook. Of the answer only its status is kept. */
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { webhookMessages } from './webhook-messages.ts'

export const webhookAttempts = sqliteTable(
  'webhook_attempts',
  {
    sequence: integer().primaryKey({ autoIncrement: true }),
    messageId: text()
      .notNull()
      .references(() => webhookMessages.id),
    at: integer().notNull(),
    durationMs: integer().notNull(),
    status: integer(),
    error: text(),
  },
  (table) => [index('webhook_attempts_message').on(table.messageId)],
)
