/** Runs that are not cancelled and need the job of the outer statement. */
import { and, eq, isNull, sql } from 'drizzle-orm'
import { jobs } from '../../../schema/tables/jobs.ts'
import { runJobs } from '../../../schema/tables/run-jobs.ts'
import { runs } from '../../../schema/tables/runs.ts'
import type { Database } from '../../bindings/database.ts'

export const wantedRuns = (db: Database) =>
  db
    .select({ one: sql`1` })
    .from(runJobs)
    .innerJoin(runs, eq(runs.id, runJobs.runId))
    .where(and(eq(runJobs.jobKey, jobs.key), isNull(runs.cancelledAt)))
