/** Results that count no more: the stage waits for another, and so does every stage that was computed from it. The manifests stay,
 *  with the reason beside them. */
import { eq, type SQL, sql } from 'drizzle-orm'
import { ApiError } from '../../../schema/errors.ts'
import { deliveries } from '../../../schema/tables/deliveries.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { repeats } from '../../../schema/tables/repeats.ts'
import { runs } from '../../../schema/tables/runs.ts'
import { scores } from '../../../schema/tables/scores.ts'
import { submissions } from '../../../schema/tables/submissions.ts'
import type { Database } from '../../bindings/database.ts'
import { isWanted } from './wanted-runs.ts'

/** Stages in one transaction. Readers go first: where it breaks off, nothing that is done rests on what was set aside. */
const AT_ONCE = 5000

/** `which` of the jobs that are done, for a reason that everybody reads. Returns the keys of all jobs that this changed. */
export async function setAside(
  db: Database,
  which: SQL,
  { reason, now }: { reason: string; now: number },
): Promise<string[]> {
  const found = await db.all<{ key: string }>(sql`
    WITH RECURSIVE touched(key) AS (
      SELECT ${jobs.key} FROM ${jobs} WHERE ${jobs.state} = 'done' AND ${which}
      UNION SELECT i.job_key FROM job_inputs i JOIN touched t ON i.input_key = t.key)
    SELECT touched.key FROM touched JOIN jobs j ON j.key = touched.key
    ORDER BY j.kind = 'train', j.kind = 'unlearn', j.kind = 'sample'`)
  const keys = found.map(({ key }) => key)
  for (let at = 0; at < keys.length; at += AT_ONCE) {
    await db.batch([...statements(db, keys.slice(at, at + AT_ONCE), { reason, now })])
  }
  return keys
}

/** The same of one stage. Throws `not_found` where it has no result. */
export async function setAsideStage(
  db: Database,
  key: string,
  why: { reason: string; now: number },
): Promise<string[]> {
  const stages = await setAside(db, eq(jobs.key, key), why)
  if (stages.length > 0) return stages
  throw new ApiError('not_found', `no stage ${key} is done here: there is no result to set aside`)
}

/** A result leaves; work on one of its readers is called off, and a reader that failed for its sake is queued again. */
function statements(db: Database, keys: string[], { reason, now }: { reason: string; now: number }) {
  const these = sql`(SELECT value FROM json_each(${JSON.stringify(keys)}))`
  const newest = (state: SQL) => sql`(${deliveries.jobKey}, ${deliveries.attempt}) IN
    (SELECT j.key, j.deliveries FROM jobs j WHERE j.key IN ${these} AND ${state})`
  const revived = sql`(j.state = 'done' OR (j.state = 'failed' AND j.reason IN ('input', 'dependency')))`
  const goesOn = sql`${runs.announced} IN ('done', 'failed')
    AND ${runs.id} IN (SELECT rj.run_id FROM run_jobs rj JOIN jobs j ON j.key = rj.job_key WHERE j.key IN ${these} AND ${revived})
    AND NOT EXISTS (SELECT 1 FROM run_jobs rj JOIN jobs j ON j.key = rj.job_key WHERE rj.run_id = ${runs.id}
      AND j.state = 'failed' AND NOT (j.key IN ${these} AND ${revived}))`
  return [
    db
      .update(submissions)
      .set({ announcedAt: null })
      .where(sql`${submissions.id} IN (SELECT ${runs.submissionId} FROM ${runs} WHERE ${goesOn})`),
    db.update(runs).set({ announced: null }).where(goesOn),
    db
      .update(deliveries)
      .set({ outcome: 'set-aside', message: reason, setAsideAt: now })
      .where(newest(sql`j.state = 'done'`)),
    db
      .update(deliveries)
      .set({ outcome: 'released', reason: 'input', message: reason, endedAt: now })
      .where(newest(sql`j.state = 'leased'`)),
    db
      .update(jobs)
      .set({ state: 'cancelled' })
      .where(
        sql`${jobs.state} = 'queued' AND ${jobs.key} IN (SELECT ${repeats.jobKey} FROM ${repeats} WHERE ${repeats.ofKey} IN ${these})`,
      ),
    db.delete(repeats).where(sql`${repeats.ofKey} IN ${these} OR ${repeats.jobKey} IN ${these}`),
    db
      .delete(scores)
      .where(sql`${scores.jobKey} IN (SELECT j.key FROM jobs j WHERE j.key IN ${these} AND j.state = 'done')`),
    db
      .update(jobs)
      .set({
        state: sql`CASE WHEN ${isWanted(db)} THEN 'queued' ELSE 'cancelled' END`,
        failed: 0,
        anewAfter: jobs.deliveries,
        lost: 0,
        reason: null,
        message: null,
        result: null,
        seconds: null,
        device: null,
        // It may have been made from the same bytes.
        checkpoint: null,
        leaseExpiresAt: null,
        finishedAt: null,
      })
      .where(
        sql`${jobs.key} IN ${these} AND (${jobs.state} IN ('done', 'leased')
          OR (${jobs.state} = 'failed' AND ${jobs.reason} IN ('input', 'dependency')))`,
      ),
  ] as const
}
