/** A run's state follows from its jobs. Written once, used by every query that shows or filters runs. */
import { eq, type SQL, sql } from 'drizzle-orm'
import type { RunState, RunSummary } from '../../../schema/api/submission.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { runJobs } from '../../../schema/tables/run-jobs.ts'
import { runs } from '../../../schema/tables/runs.ts'
import { submissions } from '../../../schema/tables/submissions.ts'
import type { Database } from '../../bindings/database.ts'

/** For queries that group by run and join its jobs. */
export const runState = sql<RunState>`CASE
  WHEN ${runs.cancelledAt} IS NOT NULL THEN 'cancelled'
  WHEN SUM(${jobs.state} = 'failed') > 0 THEN 'failed'
  WHEN SUM(${jobs.state} <> 'done') = 0 THEN 'done'
  WHEN SUM(${jobs.state} IN ('leased', 'done')) > 0 THEN 'running'
  ELSE 'queued' END`.as('run_state')

/** When the last job of a run ended; null before any did. */
export const finishedAt = sql<number | null>`MAX(${jobs.finishedAt})`.as('finished_at')

/** Runs with their state, joined with submission and jobs, grouped, not yet filtered or ordered. */
export const runsWithState = (db: Database, where: SQL | undefined) =>
  db
    .select({
      id: runs.id,
      submissionId: runs.submissionId,
      seed: runs.seed,
      benchmark: runs.benchmark,
      definitionSha256: runs.definitionSha256,
      method: submissions.method,
      label: sql<string>`CASE WHEN ${submissions.withdrawnAt} IS NULL THEN ${submissions.label} ELSE '' END`.as(
        'shown_label',
      ),
      author: submissions.author,
      createdAt: submissions.createdAt,
      state: runState,
      stagesDone: sql<number>`SUM(${jobs.state} = 'done')`,
      stages: sql<number>`COUNT(*)`,
      finishedAt,
    })
    .from(runs)
    .innerJoin(submissions, eq(submissions.id, runs.submissionId))
    .innerJoin(runJobs, eq(runJobs.runId, runs.id))
    .innerJoin(jobs, eq(jobs.key, runJobs.jobKey))
    .where(where)
    .groupBy(runs.id)

/** A run in brief, and when its last job ended; null before any did. */
export type EndedRun = RunSummary & { finishedAt: number | null }

/** Runs by submission, in the order of their classes and seeds. */
export async function runsOf(db: Database, where: SQL | undefined): Promise<Map<string, EndedRun[]>> {
  const rows = await runsWithState(db, where).orderBy(submissions.sequence, runs.part, runs.ordinal)
  const bySubmission = new Map<string, EndedRun[]>()
  for (const { id, benchmark, seed, state, stagesDone, stages, submissionId, finishedAt } of rows) {
    const list = bySubmission.get(submissionId) ?? []
    list.push({ id, benchmark, seed, state, stages: { done: stagesDone, total: stages }, finishedAt })
    bySubmission.set(submissionId, list)
  }
  return bySubmission
}
