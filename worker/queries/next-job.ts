/** Which job comes next: by priority, then what was delivered before, then all first seeds before any second seed, then
 *  all first classes of suites before any second class, then the oldest submission. */
import { and, eq, isNull, sql } from 'drizzle-orm'
import { jobInputs } from '../../schema/tables/job-inputs.ts'
import { jobs } from '../../schema/tables/jobs.ts'
import { runJobs } from '../../schema/tables/run-jobs.ts'
import { runs } from '../../schema/tables/runs.ts'
import { submissions } from '../../schema/tables/submissions.ts'
import type { Database } from '../database.ts'

export const nextJob = (db: Database) =>
  db
    .select({ key: jobs.key })
    .from(jobs)
    .innerJoin(runJobs, eq(runJobs.jobKey, jobs.key))
    .innerJoin(runs, and(eq(runs.id, runJobs.runId), isNull(runs.cancelledAt)))
    .innerJoin(submissions, eq(submissions.id, runs.submissionId))
    .where(
      and(
        sql`${jobs.state} = 'queued'`,
        sql`NOT EXISTS (SELECT 1 FROM ${jobInputs} i JOIN ${jobs} input ON input.key = i.input_key
          WHERE i.job_key = ${jobs.key} AND input.state <> 'done')`,
      ),
    )
    .orderBy(
      sql`${submissions.priority} DESC`,
      sql`${jobs.deliveries} = 0`,
      runs.ordinal,
      runs.part,
      submissions.sequence,
      runJobs.position,
    )
    .limit(1)
