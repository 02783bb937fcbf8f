/** Which job a runner is given next: of those it can do, by priority, then what was delivered before, then the author with the
 *  fewest running, then all first seeds before any second seed, then first classes of suites, then the oldest submission. */
import { type SQL, sql } from 'drizzle-orm'
import type { Able } from '../../../schema/requirements.ts'
import { jobInputs } from '../../../schema/tables/job-inputs.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { runJobs } from '../../../schema/tables/run-jobs.ts'
import { runs } from '../../../schema/tables/runs.ts'
import { submissions } from '../../../schema/tables/submissions.ts'
import { leftToOthers } from './failures.ts'

const urgency = sql`${submissions.priority} DESC, ${jobs.deliveries} = 0`
const turn = sql`${runs.ordinal}, ${runs.part}, ${submissions.sequence}, ${runJobs.position}`

/** The order but for the shares of authors. */
export const leaseOrder = sql`${urgency}, ${turn}`

/** Joins open jobs with the runs that want them, by CROSS JOIN: SQLite then begins with the few open jobs. Left to itself it reads
 *  every stage of every run there ever was (0.3 ms became 145 ms at 30,000 finished runs). */
export const wanted = sql`${runJobs.jobKey} = ${jobs.key} AND ${runs.id} = ${runJobs.runId} AND ${runs.cancelledAt} IS NULL
  AND ${submissions.id} = ${runs.submissionId}`

/** As a subquery. A stage that several authors want counts as that of the one who asked first; one that this runner failed is left
 *  to others while there are any. */
export const nextJob = (able: Able, { runnerId, now }: { runnerId: string; now: number }): SQL => sql`(
  WITH shares AS (SELECT author, COUNT(*) AS running FROM (
    SELECT (
      SELECT s.author FROM run_jobs rj
      JOIN runs r ON r.id = rj.run_id AND r.cancelled_at IS NULL JOIN submissions s ON s.id = r.submission_id
      WHERE rj.job_key = leased.key ORDER BY s.sequence LIMIT 1) AS author
    FROM jobs leased WHERE leased.state = 'leased') GROUP BY author)
  SELECT ${jobs.key} FROM ${jobs} CROSS JOIN ${runJobs} CROSS JOIN ${runs} CROSS JOIN ${submissions}
  LEFT JOIN shares ON shares.author = ${submissions.author}
  WHERE ${jobs.state} = 'queued' AND ${wanted} AND ${meeting(able)} AND NOT ${leftToOthers(runnerId, now)} AND NOT EXISTS (
    SELECT 1 FROM ${jobInputs} i JOIN ${jobs} input ON input.key = i.input_key
    WHERE i.job_key = ${jobs.key} AND input.state <> 'done')
  ORDER BY ${urgency}, COALESCE(shares.running, 0), ${turn} LIMIT 1)`

/** What schema/requirements.ts asks of a runner, of the database. */
export const meeting = ({
  provider,
  memoryBytes,
  gpuMemoryBytes,
  labels,
  engines,
}: Able) => sql`${jobs.engine} IN ${listed(engines)}
  AND (${jobs.requires} IS NULL OR (
  COALESCE(${jobs.requires} ->> 'provider', ${provider}) = ${provider}
  AND COALESCE(${jobs.requires} ->> 'memoryBytes', 0) <= ${memoryBytes}
  AND COALESCE(${jobs.requires} ->> 'gpuMemoryBytes', 0) <= ${gpuMemoryBytes}
  AND NOT EXISTS (SELECT 1 FROM json_each(${jobs.requires}, '$.labels') wanted
    WHERE wanted.value NOT IN ${listed(labels)})))`

const listed = (values: readonly string[]) => sql`(SELECT value FROM json_each(${JSON.stringify(values)}))`
