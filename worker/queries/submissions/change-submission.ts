/** Changes how a submission is served: before or after others, and by which runners. */
import { and, eq, inArray, sql } from 'drizzle-orm'
import type { z } from 'zod'
import type { changeSubmission as shape } from '../../../schema/api/submission.ts'
import { ApiError } from '../../../schema/errors.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { runJobs } from '../../../schema/tables/run-jobs.ts'
import { runs } from '../../../schema/tables/runs.ts'
import { submissions } from '../../../schema/tables/submissions.ts'
import type { Database } from '../../bindings/database.ts'

/** Stages that are leased or have ended keep their requirements; those shared with other submissions change for these too. */
export async function changeSubmission(
  db: Database,
  id: string,
  { priority, requires }: z.infer<typeof shape>,
): Promise<void> {
  const row = await db.select({ priority: submissions.priority }).from(submissions).where(eq(submissions.id, id)).get()
  if (!row) throw new ApiError('not_found', `no submission "${id}"`)
  const ofThis = db
    .select({ key: runJobs.jobKey })
    .from(runs)
    .innerJoin(runJobs, eq(runJobs.runId, runs.id))
    .where(eq(runs.submissionId, id))
  const asked = requires && Object.keys(requires).length > 0 ? requires : null
  await db.batch([
    db
      .update(submissions)
      .set({ priority: priority ?? row.priority })
      .where(eq(submissions.id, id)),
    db
      .update(jobs)
      .set({ requires: asked })
      .where(and(inArray(jobs.key, ofThis), sql`${jobs.state} = 'queued'`, requires ? undefined : sql`false`)),
  ])
}
