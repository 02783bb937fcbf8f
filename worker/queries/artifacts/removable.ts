/** What may be removed, as statements that list it and statements that remove it. Each removal carries its condition itself, so
 *  that what became wanted in between stays. Parameters: ?1 is the youngest time at which something is old enough. */
import type { Removed } from '../../../schema/api/retention.ts'
import type { Database } from '../../bindings/database.ts'

/** Most of a kind in one run: what a Worker does in a request, and what a report shows, have limits. */
export const MOST = 500

/** Of `jobs`: ended, and every run that needed it was cancelled long ago. The samples of a model that was only trained stay:
 *  pages of other runs show their picture. A run all of whose jobs are done can't be cancelled, so no board reads such a job. */
const unwanted = (old: string) => `jobs.state IN ('done', 'failed', 'cancelled')
  AND NOT EXISTS (SELECT 1 FROM run_jobs n JOIN runs r ON r.id = n.run_id
    WHERE n.job_key = jobs.key AND (r.cancelled_at IS NULL OR r.cancelled_at > ${old}))
  AND COALESCE(jobs.finished_at, jobs.created_at) <= ${old}
  AND NOT (jobs.kind = 'sample' AND EXISTS
    (SELECT 1 FROM jobs w WHERE w.key = jobs.spec ->> '$.inputs.weights' AND w.kind = 'train'))`

const holdsSomething = `(jobs.result IS NOT NULL
  OR EXISTS (SELECT 1 FROM log_chunks c WHERE c.job_key = jobs.key)
  OR EXISTS (SELECT 1 FROM artifact_uses u WHERE u.job_key = jobs.key AND u."use" <> 'checkpoint'))`

const ended = `jobs.state IN ('done', 'failed', 'cancelled')`

/** Of `artifacts`: nothing names it that stays. */
const orphaned = (old: string, unwantedSince: string) => `artifacts.touched_at <= ${old}
  AND NOT EXISTS (SELECT 1 FROM artifact_uses u JOIN jobs ON jobs.key = u.job_key
    WHERE u.sha256 = artifacts.sha256 AND NOT (u."use" = 'checkpoint' AND ${ended}) AND NOT (${unwanted(unwantedSince)}))`

type Row = { id: string; bytes: number }

const listed = async (statement: D1PreparedStatement, kind: Removed['kind']): Promise<Removed[]> =>
  (await statement.all<Row>()).results.map(({ id, bytes }) => ({ kind, id, bytes }))

/** Jobs that no run wants, with the bytes of their logs. */
export const unwantedJobs = ({ $client: d1 }: Database, old: number) =>
  listed(
    d1
      .prepare(
        `SELECT key AS id, (SELECT COALESCE(SUM(bytes), 0) FROM log_chunks c WHERE c.job_key = jobs.key) AS bytes
          FROM jobs WHERE ${unwanted('?1')} AND ${holdsSomething} ORDER BY id LIMIT ${MOST + 1}`,
      )
      .bind(old),
    'job',
  )

/** Such a job counts as not done afterwards: a submission that needs it again has it computed again. */
export async function emptyJobs({ $client: d1 }: Database, keys: string[], old: number): Promise<void> {
  const these = `(SELECT key FROM jobs WHERE key IN (SELECT value FROM json_each(?2)) AND ${unwanted('?1')})`
  const statements = [
    `DELETE FROM log_chunks WHERE job_key IN ${these}`,
    `DELETE FROM late_results WHERE job_key IN ${these}`,
    `DELETE FROM scores WHERE job_key IN ${these}`,
    `DELETE FROM artifact_uses WHERE "use" <> 'checkpoint' AND job_key IN ${these}`,
    `UPDATE jobs SET state = CASE state WHEN 'done' THEN 'cancelled' ELSE state END, log_length = 0,
      result = NULL, seconds = NULL, device = NULL WHERE key IN ${these}`,
  ]
  await d1.batch(statements.map((statement) => d1.prepare(statement).bind(old, JSON.stringify(keys))))
}

/** Checkpoints of jobs that have ended; their bytes are counted as artifacts. */
export const endedCheckpoints = ({ $client: d1 }: Database) =>
  listed(
    d1.prepare(
      `SELECT key AS id, 0 AS bytes FROM jobs WHERE checkpoint IS NOT NULL AND ${ended} ORDER BY id LIMIT ${MOST + 1}`,
    ),
    'checkpoint',
  )

export async function dropCheckpoints({ $client: d1 }: Database, keys: string[]): Promise<void> {
  const these = `(SELECT key FROM jobs WHERE key IN (SELECT value FROM json_each(?1)) AND ${ended})`
  const statements = [
    `DELETE FROM artifact_uses WHERE "use" = 'checkpoint' AND job_key IN ${these}`,
    `UPDATE jobs SET checkpoint = NULL WHERE key IN ${these}`,
  ]
  await d1.batch(statements.map((statement) => d1.prepare(statement).bind(JSON.stringify(keys))))
}

export const orphans = ({ $client: d1 }: Database, { old, unwantedSince }: { old: number; unwantedSince: number }) =>
  listed(
    d1
      .prepare(`SELECT sha256 AS id, bytes FROM artifacts WHERE ${orphaned('?1', '?2')} ORDER BY id LIMIT ${MOST + 1}`)
      .bind(old, unwantedSince),
    'artifact',
  )

/** Forgets those that are still orphans, and gives the paths of their bytes. */
export async function forgetOrphans(
  { $client: d1 }: Database,
  hashes: string[],
  { old, unwantedSince }: { old: number; unwantedSince: number },
): Promise<string[]> {
  const statement = `DELETE FROM artifacts WHERE ${orphaned('?1', '?2')} AND sha256 IN (SELECT value FROM json_each(?3)) RETURNING path`
  const { results } = await d1
    .prepare(statement)
    .bind(old, unwantedSince, JSON.stringify(hashes))
    .all<{ path: string }>()
  return results.map(({ path }) => path)
}

/** Those of the paths in R2 that no row stands for. */
export async function unknownPaths({ $client: d1 }: Database, paths: string[]): Promise<Set<string>> {
  const statement = `SELECT value AS path FROM json_each(?1) WHERE CASE
      WHEN value LIKE 'logs/%' THEN NOT EXISTS (SELECT 1 FROM log_chunks c WHERE c.job_key = substr(value, 6, 64))
      ELSE NOT EXISTS (SELECT 1 FROM artifacts a WHERE a.sha256 = substr(value, 11, 64) AND a.path = value)
        AND NOT EXISTS (SELECT 1 FROM uploads u WHERE u.sha256 = substr(value, 11, 64) AND u.path = value)
    END`
  const { results } = await d1.prepare(statement).bind(JSON.stringify(paths)).all<{ path: string }>()
  return new Set(results.map(({ path }) => path))
}
