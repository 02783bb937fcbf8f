/** The queue and the runners. */
import { and, desc, eq, isNull, sql } from 'drizzle-orm'
import type { Queue, QueueJob } from '../../schema/api/queue.ts'
import { jobs } from '../../schema/tables/jobs.ts'
import { runJobs } from '../../schema/tables/run-jobs.ts'
import { runners } from '../../schema/tables/runners.ts'
import { runs } from '../../schema/tables/runs.ts'
import { submissions } from '../../schema/tables/submissions.ts'
import { type Database, isoTime } from '../database.ts'

const SHOWN = 200

/** Jobs that some run still wants, each under the run that comes first in the order of leasing. */
export async function getQueue(db: Database): Promise<Queue> {
  const now = Date.now()
  const rows = await db
    .select({
      key: jobs.key,
      kind: jobs.kind,
      state: jobs.state,
      leaseExpiresAt: jobs.leaseExpiresAt,
      runner: jobs.runner,
      progress: jobs.progress,
      createdAt: jobs.createdAt,
      startedAt: jobs.startedAt,
      run: runs.id,
      benchmark: runs.benchmark,
      method: submissions.method,
      seed: runs.seed,
      blocked: sql<number>`EXISTS (SELECT 1 FROM job_inputs i JOIN jobs input ON input.key = i.input_key
        WHERE i.job_key = ${jobs.key} AND input.state <> 'done')`,
    })
    .from(jobs)
    .innerJoin(runJobs, eq(runJobs.jobKey, jobs.key))
    .innerJoin(runs, and(eq(runs.id, runJobs.runId), isNull(runs.cancelledAt)))
    .innerJoin(submissions, eq(submissions.id, runs.submissionId))
    .where(and(sql`${jobs.state} IN ('queued', 'leased')`, withoutFailedInput))
    .orderBy(sql`${submissions.priority} DESC`, runs.ordinal, runs.part, submissions.sequence, runJobs.position)
  const first = [...Map.groupBy(rows, ({ key }) => key).values()].map(([row]) => row!)
  const isRunning = (row: (typeof rows)[number]) => row.state === 'leased' && (row.leaseExpiresAt ?? 0) >= now
  const shown = (row: (typeof rows)[number]): QueueJob => ({
    key: row.key,
    kind: row.kind,
    run: row.run,
    benchmark: row.benchmark,
    method: row.method,
    seed: row.seed,
    runner: isRunning(row) ? row.runner : null,
    progress: isRunning(row) ? row.progress : null,
    blocked: Boolean(row.blocked),
    since: isoTime(isRunning(row) ? (row.startedAt ?? row.createdAt) : row.createdAt),
  })
  const running = first.filter(isRunning)
  const waiting = first.filter((row) => !isRunning(row))
  const seen = await db.select().from(runners).orderBy(desc(runners.lastSeenAt)).limit(100)
  return {
    running: running.slice(0, SHOWN).map(shown),
    waiting: waiting.slice(0, SHOWN).map(shown),
    counts: { running: running.length, waiting: waiting.length },
    runners: seen.map(({ name, device, lastSeenAt }) => ({
      name,
      device,
      lastSeenAt: isoTime(lastSeenAt),
      running: running.filter(({ runner }) => runner === name).length,
    })),
  }
}

/** A job after a failed one will never be leased, so it does not wait either. */
const withoutFailedInput = sql`NOT EXISTS (SELECT 1 FROM run_jobs mine JOIN jobs before ON before.key = mine.job_key
  WHERE mine.run_id = ${runs.id} AND before.state = 'failed')`
