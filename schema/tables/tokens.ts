/** Bearer tokens: only their SHA-256 is kept. */
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** A submitter submits and cancels; an organiser makes and retires benchmarks; an admin may do both, and manages tokens and runners. */
export const roles = ['submitter', 'organiser', 'admin'] as const
export type Role = (typeof roles)[number]

export const tokens = sqliteTable('tokens', {
  id: text().primaryKey(),
  /** Shown as the author of what the token submits. */
  name: text().notNull(),
  role: text({ enum: roles }).notNull(),
  sha256: text().notNull().unique(),
  createdAt: integer().notNull(),
  revokedAt: integer(),
})
