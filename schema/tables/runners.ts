/** Runners that enrolled. Rows stay after a revocation, since results that they signed do. */
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { Probe } from '../probe.ts'
import { runnerStates } from '../protocol/lease.ts'
import type { PublicKey } from '../signature.ts'

export const runners = sqliteTable('runners', {
  id: text().primaryKey(),
  name: text().notNull(),
  publicKey: text({ mode: 'json' }).$type<PublicKey>().notNull(),
  /** Set by admins. */
  labels: text({ mode: 'json' }).$type<string[]>().notNull(),
  state: text({ enum: runnerStates }).notNull().default('active'),
  enrolledAt: integer().notNull(),
  lastSeenAt: integer(),
  /** As it last showed itself. */
  probe: text({ mode: 'json' }).$type<Probe>(),
  /** That it said it has, when it last asked for work. */
  engines: text({ mode: 'json' }).$type<string[]>(),
  /** How many stages it said it runs at a time. */
  stagesAtOnce: integer().notNull().default(1),
  /** Set where the server paused it by itself (worker/queries/jobs/suspicion.ts): then its failures count for nothing. */
  pauseReason: text(),
  /** When an admin last resumed it: what it failed before is forgiven. */
  trustedSince: integer(),
})
export type RunnerRow = typeof runners.$inferSelect
