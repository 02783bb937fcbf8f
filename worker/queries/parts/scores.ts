/** Scores of evaluate jobs: written when a job ends, read by the boards. */
import { and, eq, type SQL, sql } from 'drizzle-orm'
import type { StageResult } from '../../../schema/result.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { runJobs } from '../../../schema/tables/run-jobs.ts'
import { runners } from '../../../schema/tables/runners.ts'
import { runs } from '../../../schema/tables/runs.ts'
import { scores } from '../../../schema/tables/scores.ts'
import { submissions } from '../../../schema/tables/submissions.ts'
import { tokens } from '../../../schema/tables/tokens.ts'
import type { Database } from '../../bindings/database.ts'
import type { Claim } from './held.ts'
import { insertSelect } from './insert-select.ts'

/** Three parameters each, of the 100 that D1 binds to a statement. */
const SCORES_AT_ONCE = 30

/** Who computed a value that the Worker computed. */
export const SERVER = 'server'

/** What a result is worth: values that the server computed from the evidence itself, and those that it must take the runner's word
 *  for. By metric id. */
export interface Worth {
  computed: StageResult['metrics']
  claimed: StageResult['metrics']
}

/** The scores of a result. Follows the statement that ended the job; does nothing where that one did nothing. Values are bound one
 *  by one: SQLite would not read all digits of a number within JSON. */
export function scoresOfResult(
  db: Database,
  claim: Claim,
  { computed, claimed }: Worth,
  versions: { runner: string; server: string },
) {
  return [
    ...inserted(db, claim, computed, { by: sql`${SERVER}`, version: versions.server }),
    ...inserted(db, claim, claimed, { by: jobs.runnerId, version: versions.runner }),
  ]
}

function inserted(
  db: Database,
  { key, tokenSha256 }: Claim,
  metrics: StageResult['metrics'],
  who: { by: SQL | typeof jobs.runnerId; version: string },
) {
  const all = Object.entries(metrics).map(([id, { identity, value }]) => sql`(${id}, ${identity}, ${value})`)
  const chunks = Array.from({ length: Math.ceil(all.length / SCORES_AT_ONCE) }, (_, i) =>
    all.slice(i * SCORES_AT_ONCE, (i + 1) * SCORES_AT_ONCE),
  )
  return chunks.map((chunk) =>
    insertSelect(
      db,
      scores,
      {
        jobKey: jobs.key,
        metric: sql`m.column1`,
        identity: sql`m.column2`,
        value: sql`m.column3`,
        ...who,
        computedAt: jobs.finishedAt,
      },
      sql`FROM ${jobs} CROSS JOIN (VALUES ${sql.join(chunk, sql`, `)}) m
        WHERE ${and(eq(jobs.key, key), eq(jobs.tokenSha256, tokenSha256), sql`${jobs.state} = 'done'`)}`,
    ).onConflictDoNothing(),
  )
}

/** Keeps SQLite from beginning with the index of states: nearly all jobs there ever were are done. */
export const isDone = sql`+${jobs.state} = 'done'`

export type Score = Pick<typeof scores.$inferSelect, 'identity' | 'value'>

/** Scores of finished jobs by run, the oldest first. */
export async function scoresOf(db: Database, where: SQL | undefined): Promise<Map<string, Score[]>> {
  const rows = await db
    .select({ run: runs.id, identity: scores.identity, value: scores.value })
    .from(runs)
    .innerJoin(submissions, eq(submissions.id, runs.submissionId))
    .innerJoin(runJobs, eq(runJobs.runId, runs.id))
    .innerJoin(jobs, and(eq(jobs.key, runJobs.jobKey), isDone))
    .innerJoin(scores, eq(scores.jobKey, jobs.key))
    .where(where)
    .orderBy(scores.computedAt)
  return Map.groupBy(rows, ({ run }) => run)
}

/** Everything that was ever computed for a run, the oldest first, with who did. */
export function scoreHistory(db: Database, run: string) {
  return db
    .select({
      metric: scores.metric,
      identity: scores.identity,
      value: scores.value,
      by: sql<string>`COALESCE(${runners.name}, ${tokens.name}, ${scores.by})`,
      version: scores.version,
      computedAt: scores.computedAt,
      /** Whether it came with the result that the job was finished with. */
      handedIn: sql<number>`${scores.computedAt} IS ${jobs.finishedAt}`,
      /** Whether somebody else than the runner that measured the evidence computed it. */
      confirmed: sql<number>`${scores.by} IS NOT ${jobs.runnerId}`,
    })
    .from(runJobs)
    .innerJoin(jobs, and(eq(jobs.key, runJobs.jobKey), eq(jobs.state, 'done')))
    .innerJoin(scores, eq(scores.jobKey, jobs.key))
    .leftJoin(runners, eq(runners.id, scores.by))
    .leftJoin(tokens, eq(tokens.id, scores.by))
    .where(eq(runJobs.runId, run))
    .orderBy(scores.computedAt)
}
export type HistoricScore = Awaited<ReturnType<typeof scoreHistory>>[number]
