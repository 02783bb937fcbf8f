/** Ending runs that nobody waits for any more: of a submission that was cancelled or withdrawn, of a token that was revoked. */
import { and, eq, exists, isNotNull, isNull, not, notExists, type SQL, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/sqlite-core'
import { jobs } from '../../../schema/tables/jobs.ts'
import { runJobs } from '../../../schema/tables/run-jobs.ts'
import { runs } from '../../../schema/tables/runs.ts'
import type { Database } from '../../bindings/database.ts'
import { announceEnds } from '../webhooks/announce-ends.ts'
import { expiry } from './expire.ts'
import { isWanted } from './wanted-runs.ts'

interface Ending {
  /** Of submissions. */
  ids: string[]
  /** Runs that are done leave, too; else these keep their state, as do those that failed. */
  finishedToo?: boolean
  now: number
}

/** Statements of one batch; the first one returns the keys of all jobs of the submissions. Jobs that others need go on. References
 *  that nothing is shown beside any more end with the last run that was. */
export function endRuns(db: Database, { ids, finishedToo = false, now }: Ending) {
  const these = sql`${runs.submissionId} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`
  const ofThese = db
    .select({ key: runJobs.jobKey })
    .from(runJobs)
    .innerJoin(runs, eq(runs.id, runJobs.runId))
    .where(these)
  return [
    ofThese,
    db
      .update(runs)
      .set({ cancelledAt: now })
      .where(and(these, isNull(runs.cancelledAt), finishedToo ? undefined : unfinished(db))),
    db
      .update(runs)
      .set({ cancelledAt: now })
      .where(
        and(
          isNotNull(runs.reference),
          sql`${runs.benchmark} IN (SELECT own.benchmark FROM runs own
            WHERE own.submission_id IN (SELECT value FROM json_each(${JSON.stringify(ids)})))`,
          isNull(runs.cancelledAt),
          unfinished(db),
          notExists(shownBeside(db)),
        ),
      ),
    ...expiry(db, now),
    // A leased job learns of it at its next renewal; its runner then releases it.
    db
      .update(jobs)
      .set({ state: 'cancelled', reason: 'cancelled', message: 'nobody wants its result any more', finishedAt: now })
      .where(and(sql`${jobs.state} = 'queued'`, not(isWanted(db)))),
    ...announceEnds(db, { submissions: ids }, now),
  ] as const
}

function unfinished(db: Database) {
  const jobIs = (condition: SQL) =>
    db
      .select({ one: sql`1` })
      .from(runJobs)
      .innerJoin(jobs, eq(jobs.key, runJobs.jobKey))
      .where(and(eq(runJobs.runId, runs.id), condition))
  return and(exists(jobIs(sql`${jobs.state} <> 'done'`)), notExists(jobIs(sql`${jobs.state} = 'failed'`)))
}

/** Runs that need the reference of the outer statement. */
function shownBeside(db: Database) {
  const other = alias(runs, 'other')
  return db
    .select({ one: sql`1` })
    .from(other)
    .where(
      and(
        eq(other.benchmark, runs.benchmark),
        eq(other.definitionSha256, runs.definitionSha256),
        eq(other.seed, runs.seed),
        isNull(other.reference),
        isNull(other.cancelledAt),
      ),
    )
}
