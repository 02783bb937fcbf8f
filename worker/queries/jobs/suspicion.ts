/** A runner that fails what others don't is paused by the server itself, in public, until an admin resumes it. Its failures then
 *  count for nothing: stages that ended by them go back to the queue. */
import { and, eq, type SQL, sql } from 'drizzle-orm'
import { deliveries } from '../../../schema/tables/deliveries.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { runners } from '../../../schema/tables/runners.ts'
import type { Database } from '../../bindings/database.ts'
import { SILENT_MS } from '../parts/present.ts'
import { retractEnds } from '../webhooks/announce-ends.ts'
import { failedForGood } from './failures.ts'
import { isWanted } from './wanted-runs.ts'

/** So many stages that it failed in a row were then finished by others. */
const CONTRADICTED = 3
/** It failed so many stages in a row that nobody else failed; others may not have come to them yet. */
const UNSHARED = 10
/** The same of a runner that is alone: what it is given may be at fault, such as a list of parameters all of which diverge. */
const UNSHARED_ALONE = 20

/** Stages that the runner of the outer statement failed since it last finished one or was resumed, each once. */
const streak = sql`SELECT DISTINCT own.job_key FROM ${deliveries} own
  WHERE own.runner_id = ${runners.id} AND own.outcome = 'failed' AND own.ended_at > MAX(COALESCE(${runners.trustedSince}, -1),
    COALESCE((SELECT MAX(good.ended_at) FROM ${deliveries} good
      WHERE good.runner_id = ${runners.id} AND good.outcome = 'done'), -1))`

const contradicted = sql`(SELECT COUNT(*) FROM ${jobs} WHERE ${jobs.key} IN (${streak}) AND ${jobs.state} = 'done')`

const unshared = sql`(SELECT COUNT(*) FROM (${streak}) failed WHERE NOT EXISTS (
  SELECT 1 FROM ${deliveries} d JOIN ${runners} other ON other.id = d.runner_id
  WHERE d.job_key = failed.job_key AND d.outcome = 'failed' AND d.runner_id <> ${runners.id} AND other.pause_reason IS NULL))`

/** Put behind the statement that ended a delivery as failed, in its batch; returns the runner if it is paused by this. */
export function pauseSuspect(db: Database, runner: SQL, now: number) {
  const most = sql`(CASE WHEN EXISTS (SELECT 1 FROM ${runners} other WHERE other.id <> ${runners.id}
    AND other.state = 'active' AND other.last_seen_at > ${now - SILENT_MS}) THEN ${UNSHARED} ELSE ${UNSHARED_ALONE} END)`
  return db
    .update(runners)
    .set({
      state: 'paused',
      pauseReason: sql`CASE WHEN ${contradicted} >= ${CONTRADICTED}
        THEN 'it failed ' || ${contradicted} || ' stages in a row that other runners then finished'
        ELSE 'it failed ' || ${unshared} || ' stages in a row, and no other runner failed them' END`,
    })
    .where(
      and(
        sql`${runners.id} = ${runner}`,
        eq(runners.state, 'active'),
        sql`(${contradicted} >= ${CONTRADICTED} OR ${unshared} >= ${most})`,
      ),
    )
    .returning({ id: runners.id })
}

/** Queues again what failed for good by the word of a runner that was paused since. */
export async function reviveAfter(db: Database, runnerId: string, now: number): Promise<void> {
  const revivable = and(
    eq(jobs.state, 'failed'),
    sql`${jobs.key} IN (SELECT d.job_key FROM ${deliveries} d WHERE d.runner_id = ${runnerId} AND d.outcome = 'failed'
      AND d.attempt > ${jobs.anewAfter})`,
    isWanted(db),
    sql`NOT ${failedForGood(sql`${jobs.reason}`, now)}`,
    // Not by failures, but since it silenced runners.
    sql`${jobs.reason} <> 'runner_lost'`,
  )
  const found = await db.select({ key: jobs.key }).from(jobs).where(revivable)
  const keys = found.map(({ key }) => key)
  if (keys.length === 0) return
  const these = sql`${jobs.key} IN (SELECT value FROM json_each(${JSON.stringify(keys)}))`
  await db.batch([
    ...retractEnds(db, keys),
    db
      .update(jobs)
      .set({ state: 'queued', reason: null, message: null, finishedAt: null })
      .where(and(these, eq(jobs.state, 'failed'))),
  ])
}
