/** Keeping a lease. Each renewal replaces the token by one that follows from the old token and the runner's nonce. */
import { and, eq, inArray, sql } from 'drizzle-orm'
import { sha256Hex } from '../../../schema/parts/hash.ts'
import type { Progress } from '../../../schema/result.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { runners } from '../../../schema/tables/runners.ts'
import type { Database } from '../../bindings/database.ts'
import type { Settings } from '../../bindings/env.ts'
import { tokenFrom } from '../../keys/job-token.ts'
import { claimOf, refusalOf } from '../parts/held.ts'
import { leaseOf } from './lease.ts'
import { isWanted } from './wanted-runs.ts'

/** The same request sent again finds the token that it led to, and gets the same answer: one that was lost or doubled
 *  neither ends a lease nor makes a second holder. */
export async function renewLease(
  db: Database,
  key: string,
  request: { token: string; nonce: string; progress: Progress | null },
  { settings, now }: { settings: Settings; now: number },
) {
  const { progress } = request
  const token = await tokenFrom('renew', request.token, request.nonce)
  const [before, after] = [await claimOf(key, request.token, now), await sha256Hex(token)]
  const [row] = await db
    .update(jobs)
    .set({ tokenSha256: after, leaseExpiresAt: now + settings.LEASE_MS, ...(progress && { progress }) })
    .where(
      and(
        eq(jobs.key, key),
        sql`${jobs.state} = 'leased'`,
        inArray(jobs.tokenSha256, [before.tokenSha256, after]),
        sql`${jobs.leaseExpiresAt} > ${now}`,
      ),
    )
    .returning({ runnerId: jobs.runnerId, attempt: jobs.deliveries, wanted: sql<number>`${isWanted(db)}` })
  if (!row) throw await refusalOf(db, before, after)
  if (row.runnerId) await db.update(runners).set({ lastSeenAt: now }).where(eq(runners.id, row.runnerId))
  return { lease: leaseOf(token, row.attempt, settings), cancel: !row.wanted }
}
