/** Late results: kept as evidence, never scored. */
import { and, eq } from 'drizzle-orm'
import { ApiError } from '../../../schema/errors.ts'
import type { StageResult } from '../../../schema/result.ts'
import { deliveries } from '../../../schema/tables/deliveries.ts'
import { lateResults } from '../../../schema/tables/late-results.ts'
import type { Database } from '../../bindings/database.ts'
import { lateUses } from '../artifacts/artifact-uses.ts'

/** Of a delivery of this very runner that was lost; the first one sent stays. */
export async function keepLateResult(
  db: Database,
  key: string,
  { attempt, result, manifest }: { attempt: number; result: StageResult; manifest: string },
  { runnerId, now }: { runnerId: string; now: number },
): Promise<void> {
  const row = await db
    .select({ outcome: deliveries.outcome })
    .from(deliveries)
    .where(and(eq(deliveries.jobKey, key), eq(deliveries.attempt, attempt), eq(deliveries.runnerId, runnerId)))
    .get()
  if (!row) throw new ApiError('not_found', `job ${key} has no delivery ${attempt} to this runner`)
  if (row.outcome !== 'lost') {
    throw new ApiError(
      'conflict',
      `delivery ${attempt} of job ${key} was not lost (${row.outcome}), so no result of it is late`,
    )
  }
  await db.batch([
    db
      .insert(lateResults)
      .values({ jobKey: key, attempt, runnerId, receivedAt: now, result, manifest })
      .onConflictDoNothing(),
    lateUses(db, key, attempt),
  ])
}
