/** Secrets that an admin hands to a machine, each good for one runner and a limited time; only their SHA-256 is kept. */
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

export const enrolments = sqliteTable('enrolments', {
  id: text().primaryKey(),
  secretSha256: text().notNull().unique(),
  /** For the runner that enrols with it. */
  labels: text({ mode: 'json' }).$type<string[]>().notNull(),
  createdAt: integer().notNull(),
  expiresAt: integer().notNull(),
  usedAt: integer(),
  runnerId: text(),
})
