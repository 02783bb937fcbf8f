/** Who wants the job of the outer statement. */
import { and, eq, exists, isNull, or, sql } from 'drizzle-orm'
import { jobs } from '../../../schema/tables/jobs.ts'
import { repeats } from '../../../schema/tables/repeats.ts'
import { runJobs } from '../../../schema/tables/run-jobs.ts'
import { runs } from '../../../schema/tables/runs.ts'
import type { Database } from '../../bindings/database.ts'

/** Runs that are not cancelled and need it. */
export const wantedRuns = (db: Database) =>
  db
    .select({ one: sql`1` })
    .from(runJobs)
    .innerJoin(runs, eq(runs.id, runJobs.runId))
    .where(and(eq(runJobs.jobKey, jobs.key), isNull(runs.cancelledAt)))

/** Whether a run does, or a comparison. */
export const isWanted = (db: Database) =>
  or(
    exists(wantedRuns(db)),
    exists(
      db
        .select({ one: sql`1` })
        .from(repeats)
        .where(and(eq(repeats.jobKey, jobs.key), isNull(repeats.verdict))),
    ),
  )!
