/** Cancels what is left of a submission. Jobs that another submission still needs go on. Returns the keys of all its jobs. */
import { and, eq, exists, inArray, isNull, notExists, type SQL, sql } from 'drizzle-orm'
import { ApiError } from '../../../schema/errors.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { runJobs } from '../../../schema/tables/run-jobs.ts'
import { runs } from '../../../schema/tables/runs.ts'
import { submissions } from '../../../schema/tables/submissions.ts'
import type { Database } from '../../bindings/database.ts'
import type { Identity } from '../../bindings/env.ts'
import { expiry } from '../jobs/expire.ts'
import { wantedRuns } from '../jobs/wanted-runs.ts'
import { readableBy } from '../parts/readable.ts'
import { announceEnds } from '../webhooks/announce-ends.ts'

export async function cancelSubmission(
  db: Database,
  id: string,
  { identity, now }: { identity: Identity; now: number },
): Promise<string[]> {
  const row = await db
    .select()
    .from(submissions)
    .where(and(eq(submissions.id, id), readableBy(identity)))
    .get()
  if (!row) throw new ApiError('not_found', `no submission "${id}"`)
  if (row.tokenId !== identity.tokenId && identity.role !== 'admin') {
    throw new ApiError('forbidden', `submission "${id}" is ${row.author}'s; its author or an admin may cancel it`)
  }
  const jobIs = (condition: SQL) =>
    db
      .select({ one: sql`1` })
      .from(runJobs)
      .innerJoin(jobs, eq(jobs.key, runJobs.jobKey))
      .where(and(eq(runJobs.runId, runs.id), condition))
  const unfinished = and(exists(jobIs(sql`${jobs.state} <> 'done'`)), notExists(jobIs(sql`${jobs.state} = 'failed'`)))
  const ofThis = db
    .select({ key: runJobs.jobKey })
    .from(runJobs)
    .innerJoin(runs, eq(runs.id, runJobs.runId))
    .where(eq(runs.submissionId, id))
  const [keys] = await db.batch([
    ofThis,
    db
      .update(runs)
      .set({ cancelledAt: now })
      .where(and(eq(runs.submissionId, id), isNull(runs.cancelledAt), unfinished)),
    ...expiry(db, now),
    // A leased job learns of it at its next renewal; its runner then releases it.
    db
      .update(jobs)
      .set({ state: 'cancelled', reason: 'cancelled', message: 'nobody wants its result any more', finishedAt: now })
      .where(and(inArray(jobs.key, ofThis), sql`${jobs.state} = 'queued'`, notExists(wantedRuns(db)))),
    ...announceEnds(db, { submissions: [id] }, now),
  ])
  return [...new Set(keys.map(({ key }) => key))]
}
