/** Leases that ran out: their jobs go back to the queue, and nobody is charged for it. Every request for a job does this
 *  first, so a missed alarm delays a job at most until the next runner asks. */
import { type SQL, sql } from 'drizzle-orm'
import { deliveries } from '../../../schema/tables/deliveries.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import type { Database } from '../../bindings/database.ts'
import { announceEnds } from '../webhooks/announce-ends.ts'
import { isWanted } from './wanted-runs.ts'

/** A job that was lost this often ends as failed: something about it silences runners. */
export const MAX_LOST = 100

const MESSAGE = 'the runner fell silent and its lease ran out'

export const expiry = (db: Database, now: number) =>
  loss(db, sql`${jobs.leaseExpiresAt} <= ${now}`, { message: MESSAGE, now })

/** The statements of one batch that take leased jobs back. They end deliveries first, while their jobs still tell which ones; the
 *  second returns these jobs. */
export function loss(db: Database, which: SQL, { message, now }: { message: string; now: number }) {
  const taken = sql`${jobs.state} = 'leased' AND ${which}`
  return [
    db
      .update(deliveries)
      .set({
        outcome: 'lost',
        reason: 'runner_lost',
        message,
        endedAt: now,
        logBytes: sql`(SELECT log_length FROM jobs WHERE key = ${deliveries.jobKey})`,
      })
      .where(
        sql`(${deliveries.jobKey}, ${deliveries.attempt}) IN (SELECT ${jobs.key}, ${jobs.deliveries} FROM ${jobs} WHERE ${taken})`,
      ),
    db
      .update(jobs)
      .set({
        state: sql`CASE
          WHEN ${jobs.lost} + 1 >= ${MAX_LOST} THEN 'failed'
          WHEN ${isWanted(db)} THEN 'queued'
          ELSE 'cancelled' END`,
        lost: sql`${jobs.lost} + 1`,
        reason: 'runner_lost',
        message: sql`CASE WHEN ${jobs.lost} + 1 >= ${MAX_LOST}
          THEN ${`lost ${MAX_LOST} times: each runner that had it fell silent`} ELSE ${message} END`,
        finishedAt: now,
      })
      .where(taken)
      .returning({ key: jobs.key, state: jobs.state }),
    ...announceEnds(db, { failedAt: now }, now),
  ] as const
}

/** Returns the jobs that went back to the queue or ended. */
export async function endExpiredLeases(db: Database, now: number) {
  const [, ended] = await db.batch(expiry(db, now))
  return ended
}

export async function anyExpired(db: Database, now: number): Promise<boolean> {
  const next = await nextExpiry(db)
  return next !== null && next <= now
}

/** When the next lease runs out; null when nothing is leased. */
export async function nextExpiry(db: Database): Promise<number | null> {
  const row = await db
    .select({ at: sql<number | null>`MIN(${jobs.leaseExpiresAt})` })
    .from(jobs)
    .where(sql`${jobs.state} = 'leased'`)
    .get()
  return row?.at ?? null
}
