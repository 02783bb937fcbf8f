/** Ending a delivery without a result, for a reason. */
import { and, eq, inArray, type SQL, sql } from 'drizzle-orm'
import type { FailureReason } from '../../../schema/protocol/fail.ts'
import type { WholeLog } from '../../../schema/protocol/log.ts'
import { deliveries } from '../../../schema/tables/deliveries.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import type { Database } from '../../bindings/database.ts'
import { checkLog } from '../logs/logs.ts'
import { type Claim, heldBy, refusalOf, requireLease } from '../parts/held.ts'
import { announceEnds } from '../webhooks/announce-ends.ts'
import { failedForGood, newestCounts } from './failures.ts'
import { pauseSuspect, reviveAfter } from './suspicion.ts'
import { isWanted } from './wanted-runs.ts'

export interface Failure {
  outcome: 'failed' | 'released'
  reason: FailureReason
  message: string
  log: WholeLog | null
}

/** A released job goes back to the queue, or ends as cancelled when nobody wants it any more. So does a failed one, unless its
 *  failures are enough to end it for good (failures.ts). One batch ends delivery and job together, pauses a runner whose failures
 *  nobody shares, and tells of the runs that end. */
export async function failJob(db: Database, store: R2Bucket, claim: Claim, failure: Failure) {
  const { outcome, reason, message, log } = failure
  const known = await stateAfter(db, claim, failure)
  if (known) return known
  const { attempt, runnerId } = await requireLease(db, claim)
  if (log) await checkLog(db, store, { key: claim.key, attempt }, log)
  const held = and(heldBy(claim), log ? eq(jobs.logLength, log.bytes) : undefined)!
  const counts = outcome === 'failed'
  const [, paused, [row]] = await db.batch([
    endDelivery(db, { claim, held, failure }),
    pauseSuspect(db, counts ? sql`${runnerId}` : sql`NULL`, claim.now),
    db
      .update(jobs)
      .set({
        state: sql`CASE
          WHEN ${counts ? sql`(${newestCounts} AND ${failedForGood(sql`${reason}`, claim.now)})` : sql`0`} THEN 'failed'
          WHEN ${isWanted(db)} THEN 'queued'
          ELSE 'cancelled' END`,
        failed: sql`${jobs.failed} + ${counts ? 1 : 0}`,
        reason,
        message,
        finishedAt: claim.now,
      })
      .where(held)
      .returning({ state: jobs.state }),
    ...announceEnds(db, { jobs: [claim.key] }, claim.now),
  ])
  if (paused[0]) await reviveAfter(db, paused[0].id, claim.now)
  if (!row) {
    const meanwhile = await stateAfter(db, claim, failure)
    if (!meanwhile) throw await refusalOf(db, claim)
    return meanwhile
  }
  return row.state as 'failed' | 'queued' | 'cancelled'
}

/** Comes before the statement that ends the job: that one weighs all failures, this one among them. */
function endDelivery(db: Database, { claim, held, failure }: { claim: Claim; held: SQL; failure: Failure }) {
  const { outcome, reason, message, log } = failure
  return db
    .update(deliveries)
    .set({
      outcome:
        outcome === 'failed'
          ? 'failed'
          : sql`(SELECT CASE WHEN ${isWanted(db)} THEN 'released' ELSE 'cancelled' END FROM ${jobs}
              WHERE ${jobs.key} = ${claim.key})`,
      reason,
      message,
      endedAt: claim.now,
      logBytes: sql`(SELECT ${jobs.logLength} FROM ${jobs} WHERE ${jobs.key} = ${claim.key})`,
      logSha256: log?.sha256 ?? null,
    })
    .where(
      and(
        eq(deliveries.jobKey, claim.key),
        eq(deliveries.outcome, 'running'),
        sql`${deliveries.attempt} = (SELECT ${jobs.deliveries} FROM ${jobs} WHERE ${held})`,
      ),
    )
}

/** What became of the job when this very failure was told before; null when it was not. */
async function stateAfter(db: Database, { key, tokenSha256 }: Claim, { outcome, reason, message }: Failure) {
  const row = await db
    .select({ state: jobs.state, outcome: deliveries.outcome })
    .from(jobs)
    .innerJoin(deliveries, and(eq(deliveries.jobKey, jobs.key), eq(deliveries.attempt, jobs.deliveries)))
    .where(
      and(
        eq(jobs.key, key),
        eq(jobs.tokenSha256, tokenSha256),
        inArray(deliveries.outcome, outcome === 'failed' ? ['failed'] : ['released', 'cancelled']),
        eq(deliveries.reason, reason),
        eq(deliveries.message, message),
      ),
    )
    .get()
  return row ? (row.state as 'failed' | 'queued' | 'cancelled') : null
}
