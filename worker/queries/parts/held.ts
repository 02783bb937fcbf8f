/** Who may write about a job: the holder of its newest token, until the lease ends by the server's clock. */
import { and, eq, inArray, sql } from 'drizzle-orm'
import { ApiError } from '../../../schema/errors.ts'
import { sha256Hex } from '../../../schema/parts/hash.ts'
import { deliveries } from '../../../schema/tables/deliveries.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import type { Database } from '../../bindings/database.ts'

/** A token at a time. */
export interface Claim {
  key: string
  tokenSha256: string
  now: number
}

export const claimOf = async (key: string, token: string, now: number): Promise<Claim> => ({
  key,
  tokenSha256: await sha256Hex(token),
  now,
})

/** Part of every statement that writes about a leased job. */
export const heldBy = ({ key, tokenSha256, now }: Claim) =>
  and(
    eq(jobs.key, key),
    sql`${jobs.state} = 'leased'`,
    eq(jobs.tokenSha256, tokenSha256),
    sql`${jobs.leaseExpiresAt} > ${now}`,
  )

/** For writes that name no job: is this the newest token of any? */
export async function requireAnyLease(db: Database, token: string, now: number): Promise<void> {
  const tokenSha256 = await sha256Hex(token)
  const row = await db.select({ key: jobs.key }).from(jobs).where(eq(jobs.tokenSha256, tokenSha256)).get()
  await requireLease(db, { key: row?.key ?? '', tokenSha256, now })
}

export async function requireLease(db: Database, claim: Claim) {
  const row = await db
    .select({
      attempt: jobs.deliveries,
      runnerId: jobs.runnerId,
      logLength: jobs.logLength,
      logSequence: jobs.logSequence,
    })
    .from(jobs)
    .where(heldBy(claim))
    .get()
  if (!row) throw await refusalOf(db, claim)
  return row
}

/** Why a claim does not hold: `lease_expired` while the job may be reclaimed, else `stale_lease`. `next` is the hash of the
 *  token that the claim's own renewal led to. */
export async function refusalOf(db: Database, { key, tokenSha256 }: Claim, next = tokenSha256): Promise<ApiError> {
  const row = await db
    .select({ state: jobs.state, outcome: deliveries.outcome })
    .from(jobs)
    .innerJoin(deliveries, and(eq(deliveries.jobKey, jobs.key), eq(deliveries.attempt, jobs.deliveries)))
    .where(and(eq(jobs.key, key), inArray(jobs.tokenSha256, [tokenSha256, next])))
    .get()
  if (row && (row.outcome === 'running' || row.outcome === 'lost') && ['leased', 'queued'].includes(row.state)) {
    return new ApiError('lease_expired', `the lease of job ${key} ran out: reclaim the job, or stop working on it`)
  }
  const why = row ? 'this delivery has ended' : 'this token is not the newest one'
  return new ApiError('stale_lease', `${why}, so it leases no job: stop working on ${key || 'it'} and lease anew`)
}
