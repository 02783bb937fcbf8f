/** Giving a job to a runner: the next one, or again one whose lease ran out. Once expired
 *  leases have ended, one batch takes the job by a conditional update and writes the delivery down. */
import { and, eq, type SQL, sql } from 'drizzle-orm'
import { ApiError } from '../../../schema/errors.ts'
import { sha256Hex } from '../../../schema/parts/hash.ts'
import type { Job, Lease, LeaseRequest } from '../../../schema/protocol/lease.ts'
import { ableOf } from '../../../schema/requirements.ts'
import type { ArtifactRef } from '../../../schema/result.ts'
import { deliveries } from '../../../schema/tables/deliveries.ts'
import { jobInputs } from '../../../schema/tables/job-inputs.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { type RunnerRow, runners } from '../../../schema/tables/runners.ts'
import type { Database } from '../../bindings/database.ts'
import type { Settings } from '../../bindings/env.ts'
import { tokenFrom } from '../../keys/job-token.ts'
import { insertSelect } from '../parts/insert-select.ts'
import { anyExpired, endExpiredLeases } from './expire.ts'
import { metricsWanted } from './metrics-wanted.ts'
import { nextJob } from './next-job.ts'
import { longAgo, nextRepeat } from './repeats.ts'

/** What giving a job away needs to know, beside which job. */
interface Receiver {
  runner: RunnerRow
  token: string
  settings: Settings
  now: number
  /** Whether an order goes with it, which tells where the stage goes on. */
  ordered: boolean
}

export const leaseOf = (token: string, attempt: number, settings: Settings): Lease => ({
  token,
  attempt,
  leaseMs: settings.LEASE_MS,
  renewEveryMs: settings.RENEW_EVERY_MS,
  checkpointEveryMs: settings.CHECKPOINT_EVERY_MS,
  stageTimeoutMs: settings.STAGE_TIMEOUT_MS,
})

/** The next job, or null: also for a runner that holds as many as it runs at once. The same request sent twice gets the same job
 *  while its first lease lasts. */
export async function leaseJob(
  db: Database,
  request: LeaseRequest,
  { runner, settings, now }: { runner: RunnerRow; settings: Settings; now: number },
): Promise<Job | null> {
  const { probe, nonce, engines, stagesAtOnce } = request
  await db.update(runners).set({ probe, engines, stagesAtOnce, lastSeenAt: now }).where(eq(runners.id, runner.id))
  const token = await tokenFrom('lease', runner.id, nonce)
  const able = ableOf(probe, { labels: runner.labels, engines })
  const asking = { runnerId: runner.id, now }
  const repeat = (before: number) => nextRepeat(able, { ...asking, before })
  const next = sql`${jobs.key} = COALESCE(${repeat(longAgo(now))}, ${nextJob(able, asking)}, ${repeat(now)})
    AND ${isActive(runner.id)} AND ${holdsFewerThan(stagesAtOnce, runner.id)}`
  const row = await give(db, next, { runner, token, settings, now, ordered: true })
  if (!row) return null
  const { key, spec, checkpoint, deliveries: attempt } = row
  const [inputs, metrics] = await Promise.all([
    artifactsOfInputs(db, key),
    spec.kind === 'evaluate' ? metricsWanted(db, key) : [],
  ])
  return { key, runner: runner.id, spec, inputs, checkpoint, metrics, lease: leaseOf(token, attempt, settings) }
}

/** Asked in the statement that takes the job: a runner that was paused, drained or revoked meanwhile gets none. */
const isActive = (id: string) => sql`EXISTS (SELECT 1 FROM ${runners} r WHERE r.id = ${id} AND r.state = 'active')`

/** Asked there, too. A lease that ran out has been ended by then, which frees its place. */
const holdsFewerThan = (most: number, id: string) =>
  sql`(SELECT COUNT(*) FROM ${deliveries} own WHERE own.runner_id = ${id} AND own.outcome = 'running') < ${most}`

/** Goes on with a delivery that ran out, as a new delivery, if it was the newest and nobody else was given the job. */
export async function reclaimJob(
  db: Database,
  key: string,
  request: { attempt: number; nonce: string },
  { runner, settings, now }: { runner: RunnerRow; settings: Settings; now: number },
): Promise<{ lease: Lease }> {
  const { attempt, nonce } = request
  const free = and(
    eq(jobs.key, key),
    sql`${jobs.state} = 'queued'`,
    eq(jobs.deliveries, attempt),
    sql`EXISTS (SELECT 1 FROM ${deliveries} last WHERE last.job_key = ${jobs.key} AND last.attempt = ${attempt}
      AND last.runner_id = ${runner.id} AND last.outcome = 'lost')`,
    holdsFewerThan(runner.stagesAtOnce, runner.id),
  ) as SQL
  const token = await tokenFrom('reclaim', runner.id, key, nonce)
  const row = await give(db, free, { runner, token, settings, now, ordered: false })
  if (row) return { lease: leaseOf(token, row.deliveries, settings) }
  throw new ApiError(
    'stale_lease',
    `delivery ${attempt} of job ${key} cannot go on: the job was given away or has ended`,
  )
}

/** Leases the job of `which` under the token's hash, which must be new. A job that is leased under this very token already is
 *  the answer to the same request. */
async function give(db: Database, which: SQL, { runner, token, settings, now, ordered }: Receiver) {
  const { id: runnerId, name } = runner
  const tokenSha256 = await sha256Hex(token)
  const given = and(eq(jobs.tokenSha256, tokenSha256), sql`${jobs.state} = 'leased'`, eq(jobs.runnerId, runnerId))
  const unused = sql`NOT EXISTS (SELECT 1 FROM ${deliveries} same WHERE same.token_sha256 = ${tokenSha256})`
  if (await anyExpired(db, now)) await endExpiredLeases(db, now)
  const [, , [row]] = await db.batch([
    db
      .update(jobs)
      .set({
        state: 'leased',
        tokenSha256,
        leaseExpiresAt: now + settings.LEASE_MS,
        runnerId,
        runner: name,
        deliveries: sql`${jobs.deliveries} + 1`,
        progress: null,
        logLength: 0,
        logSequence: 0,
        reason: null,
        message: null,
        startedAt: now,
        finishedAt: null,
      })
      .where(and(which, unused)),
    insertSelect(
      db,
      deliveries,
      {
        jobKey: jobs.key,
        attempt: jobs.deliveries,
        tokenSha256,
        runnerId,
        runner: name,
        leasedAt: now,
        checkpoint: ordered ? jobs.checkpoint : null,
        endedAt: null,
        outcome: 'running',
        setAsideAt: null,
        reason: null,
        message: null,
        logBytes: 0,
        logSha256: null,
        manifest: null,
      },
      sql`FROM ${jobs} WHERE ${given}`,
    ).onConflictDoNothing(),
    db.select().from(jobs).where(given),
  ])
  return row ?? null
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
