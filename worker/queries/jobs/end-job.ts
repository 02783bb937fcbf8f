/** Ending a delivery: with a result, or without one and a reason. One batch ends job and delivery together, and tells of the runs
 *  that end with them. */
import { and, eq, exists, inArray, sql } from 'drizzle-orm'
import { version } from '../../../runner/words/version.ts'
import { ApiError } from '../../../schema/errors.ts'
import { canonicalJson } from '../../../schema/parts/hash.ts'
import type { FailureReason } from '../../../schema/protocol/fail.ts'
import type { WholeLog } from '../../../schema/protocol/log.ts'
import type { StageResult } from '../../../schema/result.ts'
import { artifacts } from '../../../schema/tables/artifacts.ts'
import { deliveries } from '../../../schema/tables/deliveries.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import type { Database } from '../../bindings/database.ts'
import { resultUses } from '../artifacts/artifact-uses.ts'
import { checkLog } from '../logs/logs.ts'
import { type Claim, heldBy, refusalOf, requireLease } from '../parts/held.ts'
import { scoresOfResult } from '../parts/scores.ts'
import { checkResult } from '../results/check-result.ts'
import { announceEnds } from '../webhooks/announce-ends.ts'
import { metricsWanted } from './metrics-wanted.ts'
import { wantedRuns } from './wanted-runs.ts'

/** How often a runner may end a job as failed, for a reason that another try may not meet, before it stays failed. */
const MAX_FAILURES = 3
/** Reasons that lie in what was submitted: another try would end the same way. */
const FINAL_REASONS: readonly FailureReason[] = ['submission_error', 'numeric_divergence', 'configuration']

/** The same result under the same token is the same request, and is answered as before. */
export async function finishJob(
  db: Database,
  store: R2Bucket,
  claim: Claim,
  { result, log, manifest }: { result: StageResult; log: WholeLog; manifest: string },
): Promise<void> {
  if (await isFinished(db, claim, result)) return
  const { attempt } = await requireLease(db, claim)
  await requireArtifacts(db, result)
  await checkLog(db, store, { key: claim.key, attempt }, log)
  const worth = await checkResult(db, store, {
    key: claim.key,
    result,
    wanted: () => metricsWanted(db, claim.key),
  })
  const { seconds, device } = result
  const finishedAt = claim.now
  const [ended] = await db.batch([
    db
      .update(jobs)
      .set({ state: 'done', result, seconds, device, finishedAt })
      .where(and(heldBy(claim), eq(jobs.logLength, log.bytes)))
      .returning({ key: jobs.key }),
    endDelivery(db, claim, { outcome: sql`'done'`, reason: null, message: null, log, manifest }),
    ...announceEnds(db, { jobs: [claim.key] }, claim.now),
    resultUses(db, claim),
    ...scoresOfResult(db, claim, worth, { runner: result.versions.palimpsest ?? '', server: version }),
  ])
  if (ended.length === 0 && !(await isFinished(db, claim, result))) throw await refusalOf(db, claim)
}

async function isFinished(db: Database, { key, tokenSha256 }: Claim, result: StageResult): Promise<boolean> {
  const row = await db
    .select({ result: jobs.result })
    .from(jobs)
    .where(and(eq(jobs.key, key), eq(jobs.tokenSha256, tokenSha256), sql`${jobs.state} = 'done'`))
    .get()
  return row?.result != null && canonicalJson(row.result) === canonicalJson(result)
}

async function requireArtifacts(db: Database, result: StageResult): Promise<void> {
  const named = Object.entries(result.artifacts)
  const stored = new Map<string, number>()
  for (let at = 0; at < named.length; at += 90) {
    const hashes = named.slice(at, at + 90).map(([, { sha256 }]) => sha256)
    const rows = await db.select().from(artifacts).where(inArray(artifacts.sha256, hashes))
    for (const row of rows) stored.set(row.sha256, row.bytes)
  }
  for (const [name, { sha256, bytes }] of named) {
    const size = stored.get(sha256)
    if (size === undefined)
      throw new ApiError('missing_artifact', `${name}: ${sha256} was not uploaded; upload it first`)
    if (size !== bytes) {
      throw new ApiError('missing_artifact', `${name}: expected ${bytes} bytes, but ${sha256} holds ${size}`)
    }
  }
}

export interface Failure {
  outcome: 'failed' | 'released'
  reason: FailureReason
  message: string
  log: WholeLog | null
}

/** A released job goes back to the queue, or ends as cancelled when nobody wants it any more. A failed one is tried again
 *  unless its reason is final or its attempts are used up. */
export async function failJob(db: Database, store: R2Bucket, claim: Claim, failure: Failure) {
  const { outcome, reason, message, log } = failure
  const known = await stateAfter(db, claim, failure)
  if (known) return known
  const { attempt } = await requireLease(db, claim)
  if (log) await checkLog(db, store, { key: claim.key, attempt }, log)
  const counts = outcome === 'failed'
  const final = counts && FINAL_REASONS.includes(reason)
  const [[row]] = await db.batch([
    db
      .update(jobs)
      .set({
        state: sql`CASE
          WHEN ${counts ? 1 : 0} AND (${final ? 1 : 0} OR ${jobs.failed} + 1 >= ${MAX_FAILURES}) THEN 'failed'
          WHEN ${exists(wantedRuns(db))} THEN 'queued'
          ELSE 'cancelled' END`,
        failed: sql`${jobs.failed} + ${counts ? 1 : 0}`,
        reason,
        message,
        finishedAt: claim.now,
      })
      .where(and(heldBy(claim), log ? eq(jobs.logLength, log.bytes) : undefined))
      .returning({ state: jobs.state }),
    endDelivery(db, claim, {
      outcome: counts
        ? sql`'failed'`
        : sql`(SELECT CASE state WHEN 'cancelled' THEN 'cancelled' ELSE 'released' END FROM jobs WHERE key = ${claim.key})`,
      reason,
      message,
      log,
    }),
    ...announceEnds(db, { jobs: [claim.key] }, claim.now),
  ])
  if (!row) {
    const meanwhile = await stateAfter(db, claim, failure)
    if (!meanwhile) throw await refusalOf(db, claim)
    return meanwhile
  }
  return row.state as 'failed' | 'queued' | 'cancelled'
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

interface DeliveryEnd {
  outcome: ReturnType<typeof sql>
  reason: FailureReason | null
  message: string | null
  log: WholeLog | null
  manifest?: string
}

/** Follows the statement that ended the job in the same batch; does nothing where that one did nothing. */
const endDelivery = (db: Database, claim: Claim, { outcome, reason, message, log, manifest }: DeliveryEnd) =>
  db
    .update(deliveries)
    .set({
      outcome,
      reason,
      message,
      endedAt: claim.now,
      logBytes: sql`(SELECT log_length FROM jobs WHERE key = ${claim.key})`,
      logSha256: log?.sha256 ?? null,
      manifest: manifest ?? null,
    })
    .where(
      and(
        eq(deliveries.jobKey, claim.key),
        eq(deliveries.outcome, 'running'),
        sql`${deliveries.attempt} = (SELECT deliveries FROM jobs
          WHERE key = ${claim.key} AND token_sha256 = ${claim.tokenSha256} AND state <> 'leased')`,
      ),
    )
