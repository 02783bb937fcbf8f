/** Tells webhooks that runs and submissions ended. A run's end is announced once: in the batch of the change that ended it, and
 *  again only if the run went on (its failed stage was asked for anew) and ended anew. */
import { and, eq, inArray, isNull, notExists, type SQL, sql } from 'drizzle-orm'
import type { WebhookEvent } from '../../../schema/api/webhook.ts'
import { runJobs } from '../../../schema/tables/run-jobs.ts'
import { runs } from '../../../schema/tables/runs.ts'
import { submissions } from '../../../schema/tables/submissions.ts'
import { webhookMessages } from '../../../schema/tables/webhook-messages.ts'
import { webhooks } from '../../../schema/tables/webhooks.ts'
import type { Database } from '../../bindings/database.ts'
import { insertSelect, numbered, type Sources } from '../parts/insert-select.ts'
import { runState, runsWithState } from '../parts/run-state.ts'

/** The runs that a change may have ended: those that need one of some jobs, or a job that failed in this very change, or those of
 *  some submissions. */
export type Touched = { jobs: string[] } | { failedAt: number } | { submissions: string[] }

/** Statements to put after that change, in its batch. A webhook that is disabled is told nothing. */
export function announceEnds(db: Database, touched: Touched, now: number) {
  const here = touchedRuns(db, touched)
  const ended = runsWithState(db, and(here, isNull(runs.announced)))
    .having(inArray(runState, ['done', 'failed', 'cancelled']))
    .as('ended')
  const runEvent = sql<WebhookEvent>`'run.' || ${ended.state}`
  const complete = and(
    inArray(submissions.id, db.select({ id: runs.submissionId }).from(runs).where(here)),
    isNull(submissions.announcedAt),
    notExists(
      db
        .select({ id: runs.id })
        .from(runs)
        .where(and(eq(runs.submissionId, submissions.id), isNull(runs.announced))),
    ),
  )
  const submissionEvent = sql<WebhookEvent>`'submission.ended'`
  return [
    insertSelect(
      db,
      webhookMessages,
      messageOf(runEvent, runData(ended), now),
      sql`FROM ${ended} JOIN ${submissions} ON ${submissions.id} = ${ended.submissionId} JOIN ${webhooks} ON ${listensTo(runEvent)}`,
    ),
    db
      .update(runs)
      .set({ announced: sql`(SELECT ${ended.state} FROM ${ended} WHERE ${ended.id} = ${runs.id})` })
      .where(inArray(runs.id, db.select({ id: ended.id }).from(ended))),
    insertSelect(
      db,
      webhookMessages,
      messageOf(submissionEvent, submissionData, now),
      sql`FROM ${submissions} JOIN ${webhooks} ON ${listensTo(submissionEvent)} WHERE ${complete}`,
    ),
    db.update(submissions).set({ announcedAt: now }).where(complete),
  ] as const
}

/** Statements to put before a change that queues stages again which had failed: runs that now go on will end anew. */
export function retractEnds(db: Database, jobs: string[]) {
  const revived = and(
    eq(runs.announced, 'failed'),
    sql`${runs.id} IN (SELECT rj.run_id FROM jobs JOIN run_jobs rj ON rj.job_key = jobs.key
      WHERE jobs.key IN ${listed(jobs)} AND jobs.state = 'failed')`,
    // A run with another failed stage stays failed.
    sql`NOT EXISTS (SELECT 1 FROM run_jobs mine JOIN jobs ON jobs.key = mine.job_key WHERE mine.run_id = ${runs.id}
      AND jobs.state = 'failed' AND jobs.key NOT IN ${listed(jobs)})`,
  )
  return [
    db
      .update(submissions)
      .set({ announcedAt: null })
      .where(inArray(submissions.id, db.select({ id: runs.submissionId }).from(runs).where(revived))),
    db.update(runs).set({ announced: null }).where(revived),
  ] as const
}

const listed = (values: string[]) => sql`(SELECT value FROM json_each(${JSON.stringify(values)}))`

function touchedRuns(db: Database, touched: Touched): SQL {
  if ('submissions' in touched) return sql`${runs.submissionId} IN ${listed(touched.submissions)}`
  const keys =
    'jobs' in touched
      ? listed(touched.jobs)
      : sql`(SELECT key FROM jobs WHERE state = 'failed' AND finished_at = ${touched.failedAt})`
  return inArray(runs.id, db.select({ id: runJobs.runId }).from(runJobs).where(sql`${runJobs.jobKey} IN ${keys}`))
}

/** Webhooks of the submission's author that want an event. */
const listensTo = (event: SQL) =>
  and(
    eq(webhooks.tokenId, submissions.tokenId),
    isNull(webhooks.disabledAt),
    sql`EXISTS (SELECT 1 FROM json_each(${webhooks.events}) WHERE value = ${event})`,
  )

const messageOf = (event: SQL<WebhookEvent>, data: SQL, now: number): Sources<typeof webhookMessages> => ({
  sequence: numbered,
  id: sql`'msg_' || lower(hex(randomblob(16)))`,
  webhookId: webhooks.id,
  type: event,
  payload: sql`json_object('type', ${event}, 'timestamp', ${new Date(now).toISOString()}, 'data', ${data})`,
  createdAt: now,
  state: 'pending',
  tries: 0,
  nextAt: now,
})

type Ended = Record<'id' | 'submissionId' | 'benchmark' | 'method' | 'label' | 'seed' | 'state', unknown>

const runData = (ended: Ended) => sql`json_object('run', ${ended.id}, 'submission', ${ended.submissionId},
  'benchmark', ${ended.benchmark}, 'method', ${ended.method}, 'label', ${ended.label}, 'seed', ${ended.seed},
  'state', ${ended.state}, 'reason', (SELECT j.reason FROM run_jobs rj JOIN jobs j ON j.key = rj.job_key
    WHERE rj.run_id = ${ended.id} AND j.state = 'failed' ORDER BY rj.position LIMIT 1))`

const submissionData = sql`json_object('submission', ${submissions.id}, 'benchmark', ${submissions.benchmark},
  'method', ${submissions.method}, 'label', ${submissions.label}, 'runs', (SELECT json_object(
    'done', SUM(r.announced = 'done'), 'failed', SUM(r.announced = 'failed'), 'cancelled', SUM(r.announced = 'cancelled'))
    FROM runs r WHERE r.submission_id = ${submissions.id}))`
