/** What may be read by whom: what is public by anyone, a private submission by the token that made it and by admins. To everybody
 *  else it does not exist. */
import { and, eq, or, type SQL } from 'drizzle-orm'
import { ApiError } from '../../../schema/errors.ts'
import { runJobs } from '../../../schema/tables/run-jobs.ts'
import { runs } from '../../../schema/tables/runs.ts'
import { submissions } from '../../../schema/tables/submissions.ts'
import type { Database } from '../../bindings/database.ts'
import type { Viewer } from '../../bindings/env.ts'

export const isPublic = eq(submissions.visibility, 'public')

/** A condition on submissions. */
export function readableBy(viewer: Viewer): SQL | undefined {
  if (viewer?.role === 'admin') return undefined
  return viewer ? or(isPublic, eq(submissions.tokenId, viewer.tokenId)) : isPublic
}

/** The same of a row that was read. */
export const isReadableBy = (
  viewer: Viewer,
  { visibility, tokenId }: Pick<typeof submissions.$inferSelect, 'visibility' | 'tokenId'>,
): boolean => visibility === 'public' || viewer?.role === 'admin' || viewer?.tokenId === tokenId

/** A job is read through the runs that need it, so one that a public run shares is public. */
export async function requireReadableJob(db: Database, key: string, viewer: Viewer): Promise<void> {
  const row = await db
    .select({ run: runs.id })
    .from(runJobs)
    .innerJoin(runs, eq(runs.id, runJobs.runId))
    .innerJoin(submissions, eq(submissions.id, runs.submissionId))
    .where(and(eq(runJobs.jobKey, key), readableBy(viewer)))
    .limit(1)
    .get()
  if (!row) throw new ApiError('not_found', `no job "${key}"`)
}
