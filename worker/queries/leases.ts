/** Leasing, renewing and ending jobs. Every statement that writes about a job matches its newest fencing token. */
import { and, eq, exists, inArray, isNull, or, sql } from 'drizzle-orm'
import { ApiError } from '../../schema/errors.ts'
import type { FailureReason } from '../../schema/protocol/fail.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import type { ArtifactRef, Device, Progress, StageResult } from '../../schema/result.ts'
import { artifacts } from '../../schema/tables/artifacts.ts'
import { jobInputs } from '../../schema/tables/job-inputs.ts'
import { jobs } from '../../schema/tables/jobs.ts'
import { runJobs } from '../../schema/tables/run-jobs.ts'
import { runners } from '../../schema/tables/runners.ts'
import { runs } from '../../schema/tables/runs.ts'
import { submissions } from '../../schema/tables/submissions.ts'
import { type Database, randomHex } from '../database.ts'
import type { Identity } from '../env.ts'
import { wantedRuns } from './cancel-submission.ts'

export const LEASE_MS = 90_000
export const RENEW_EVERY_MS = 30_000
export const RETRY_AFTER_MS = 5_000
/** How often a runner may end a job as failed, for a reason that another try may not meet, before it stays failed. */
export const MAX_FAILURES = 3
/** Reasons that lie in what was submitted: another try would end the same way. */
const FINAL_REASONS: readonly FailureReason[] = ['submission_error', 'numeric_divergence', 'configuration']

export const stale = (key: string) =>
  new ApiError('stale_lease', `this token no longer leases job ${key}: stop working on it and lease anew`)

/** The job that comes next: by priority, then all first seeds before any second seed, then all first classes of
 *  suites before any second class, then the oldest submission. A job whose
 *  lease ran out comes as if it had never been leased. */
const nextJob = (db: Database, now: number) =>
  db
    .select({ key: jobs.key })
    .from(jobs)
    .innerJoin(runJobs, eq(runJobs.jobKey, jobs.key))
    .innerJoin(runs, and(eq(runs.id, runJobs.runId), isNull(runs.cancelledAt)))
    .innerJoin(submissions, eq(submissions.id, runs.submissionId))
    .where(
      and(
        or(eq(jobs.state, 'queued'), sql`${jobs.state} = 'leased' AND ${jobs.leaseExpiresAt} < ${now}`),
        sql`NOT EXISTS (SELECT 1 FROM job_inputs i JOIN jobs input ON input.key = i.input_key
          WHERE i.job_key = ${jobs.key} AND input.state <> 'done')`,
      ),
    )
    .orderBy(sql`${submissions.priority} DESC`, runs.ordinal, runs.part, submissions.sequence, runJobs.position)
    .limit(1)

export async function leaseJob(db: Database, request: { runner: string; device: Device }, identity: Identity) {
  const now = Date.now()
  const { runner, device } = request
  const seen = { tokenId: identity.tokenId, name: runner, device, lastSeenAt: now }
  const token = randomHex(16)
  const [, [row]] = await db.batch([
    db
      .insert(runners)
      .values(seen)
      .onConflictDoUpdate({ target: [runners.tokenId, runners.name], set: { device, lastSeenAt: now } }),
    db
      .update(jobs)
      .set({
        state: 'leased',
        token,
        previousToken: null,
        leaseExpiresAt: now + LEASE_MS,
        runner,
        deliveries: sql`${jobs.deliveries} + 1`,
        lost: sql`${jobs.lost} + (${jobs.state} = 'leased')`,
        progress: null,
        logLength: 0,
        reason: null,
        message: null,
        startedAt: now,
        finishedAt: null,
      })
      .where(eq(jobs.key, sql`(${nextJob(db, now)})`))
      .returning(),
  ])
  if (!row) return null
  const inputs = await artifactsOfInputs(db, row.key)
  return {
    key: row.key,
    spec: row.spec,
    inputs,
    lease: { token, leaseMs: LEASE_MS, renewEveryMs: RENEW_EVERY_MS },
  } satisfies Job
}

async function artifactsOfInputs(db: Database, key: string) {
  const rows = await db
    .select({ key: jobs.key, result: jobs.result })
    .from(jobInputs)
    .innerJoin(jobs, eq(jobs.key, jobInputs.inputKey))
    .where(eq(jobInputs.jobKey, key))
  return Object.fromEntries(
    rows.map((row): [string, Record<string, ArtifactRef>] => [row.key, row.result?.artifacts ?? {}]),
  )
}

/** Matches the job only while `token` is its newest. A lease that ran out but was not given away still holds: a late result
 *  is a result. */
export const heldBy = (key: string, token: string) =>
  and(eq(jobs.key, key), eq(jobs.state, 'leased'), eq(jobs.token, token))

export async function renewLease(db: Database, key: string, request: { token: string; progress: Progress | null }) {
  const now = Date.now()
  const token = randomHex(16)
  const { progress } = request
  const [row] = await db
    .update(jobs)
    .set({
      token,
      previousToken: request.token,
      leaseExpiresAt: now + LEASE_MS,
      ...(progress && { progress }),
    })
    .where(
      and(
        eq(jobs.key, key),
        eq(jobs.state, 'leased'),
        // The token before the newest renews too: its holder never received the answer to its last renewal.
        or(eq(jobs.token, request.token), eq(jobs.previousToken, request.token)),
      ),
    )
    .returning({ runner: jobs.runner, wanted: sql<number>`${exists(wantedRuns(db))}` })
  if (!row) throw stale(key)
  if (row.runner) await db.update(runners).set({ lastSeenAt: now }).where(eq(runners.name, row.runner))
  return { lease: { token, leaseMs: LEASE_MS, renewEveryMs: RENEW_EVERY_MS }, cancel: !row.wanted }
}

export async function requireLease(db: Database, key: string, token: string): Promise<{ attempt: number }> {
  const row = await db.select({ attempt: jobs.deliveries }).from(jobs).where(heldBy(key, token)).get()
  if (!row) throw stale(key)
  return row
}

export async function finishJob(db: Database, key: string, token: string, result: StageResult): Promise<void> {
  await requireLease(db, key, token)
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
  const { seconds, metrics, device } = result
  const ended = await db
    .update(jobs)
    .set({ state: 'done', token: null, previousToken: null, result, seconds, metrics, device, finishedAt: Date.now() })
    .where(heldBy(key, token))
    .returning({ key: jobs.key })
  if (ended.length === 0) throw stale(key)
}

export interface Failure {
  token: string
  outcome: 'failed' | 'released'
  reason: FailureReason
  message: string
}

/** A released job goes back to the queue, or ends as cancelled when nobody wants it any more. A failed one is tried again
 *  unless its reason is final or its attempts are used up. */
export async function failJob(db: Database, key: string, { token, outcome, reason, message }: Failure) {
  const counts = outcome === 'failed'
  const final = counts && FINAL_REASONS.includes(reason)
  const [row] = await db
    .update(jobs)
    .set({
      state: sql`CASE
        WHEN ${counts ? 1 : 0} AND (${final ? 1 : 0} OR ${jobs.failed} + 1 >= ${MAX_FAILURES}) THEN 'failed'
        WHEN ${exists(wantedRuns(db))} THEN 'queued'
        ELSE 'cancelled' END`,
      failed: sql`${jobs.failed} + ${counts ? 1 : 0}`,
      token: null,
      previousToken: null,
      reason,
      message,
      finishedAt: Date.now(),
    })
    .where(heldBy(key, token))
    .returning({ state: jobs.state })
  if (!row) throw stale(key)
  return row.state as 'failed' | 'queued' | 'cancelled'
}
