/** Stages that some run still wants, in the order of leasing. Reads open jobs only, however many have ended. */
import { and, eq, sql } from 'drizzle-orm'
import { jobInputs } from '../../../schema/tables/job-inputs.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { runJobs } from '../../../schema/tables/run-jobs.ts'
import { runs } from '../../../schema/tables/runs.ts'
import { submissions } from '../../../schema/tables/submissions.ts'
import type { Database } from '../../bindings/database.ts'
import { leaseOrder, wanted } from '../jobs/next-job.ts'

/** An open stage under one of the runs that want it. */
type Row = Awaited<ReturnType<typeof openRows>>[number]

export interface OpenStage extends Row {
  /** Its inputs that are not done. */
  after: string[]
  /** Every run that wants it; the stage counts as that of the first, whose data it carries itself. */
  wantedBy: Row[]
  /** Its index in the order of leasing before the shares of authors count. */
  indexUnshared: number
}

export async function openStages(db: Database): Promise<OpenStage[]> {
  // Not a batch: in one, drizzle takes columns by name, and three of these are called id.
  const [rows, inputs] = await Promise.all([
    openRows(db),
    db
      .select({ key: jobInputs.jobKey, input: jobInputs.inputKey })
      .from(jobs)
      .crossJoin(jobInputs)
      .where(
        and(
          isOpen,
          eq(jobInputs.jobKey, jobs.key),
          sql`(SELECT input.state FROM jobs input WHERE input.key = ${jobInputs.inputKey}) <> 'done'`,
        ),
      ),
  ])
  const after = Map.groupBy(inputs, ({ key }) => key)
  const stages = [...Map.groupBy(rows, ({ key }) => key).values()]
  return fairly(
    stages.map((wantedBy, indexUnshared) => ({
      ...wantedBy[0]!,
      wantedBy,
      indexUnshared,
      after: (after.get(wantedBy[0]!.key) ?? []).map(({ input }) => input),
    })),
  )
}

export const isOpen = sql`${jobs.state} IN ('queued', 'leased')`

/** Runners that failed it since it was last asked for. */
const failedBy = sql<string[]>`CASE WHEN ${jobs.failed} = 0 THEN '[]' ELSE (
  SELECT json_group_array(DISTINCT d.runner_id) FROM deliveries d
  WHERE d.job_key = ${jobs.key} AND d.outcome = 'failed' AND d.attempt > ${jobs.anewAfter}) END`.mapWith(
  (list: string) => JSON.parse(list) as string[],
)

const openRows = (db: Database) =>
  db
    .select({
      key: jobs.key,
      kind: jobs.kind,
      state: jobs.state,
      runner: jobs.runner,
      runnerId: jobs.runnerId,
      progress: jobs.progress,
      requires: jobs.requires,
      engine: jobs.engine,
      likeness: jobs.likeness,
      deliveries: jobs.deliveries,
      failedBy,
      createdAt: submissions.createdAt,
      startedAt: jobs.startedAt,
      run: runs.id,
      submission: submissions.id,
      benchmark: runs.benchmark,
      method: submissions.method,
      label: submissions.label,
      author: submissions.author,
      priority: submissions.priority,
      visibility: submissions.visibility,
      tokenId: submissions.tokenId,
      seed: runs.seed,
      position: runJobs.position,
    })
    .from(jobs)
    .crossJoin(runJobs)
    .crossJoin(runs)
    .crossJoin(submissions)
    .where(and(isOpen, wanted, withoutFailure))
    .orderBy(leaseOrder)

/** A stage after a failed one will never be leased, so it does not wait either. */
export const withoutFailure = sql`NOT EXISTS (SELECT 1 FROM run_jobs mine JOIN jobs before ON before.key = mine.job_key
  WHERE mine.run_id = ${runs.id} AND before.state = 'failed')`

/** The order of leasing with fair shares: an author's second run counts as if the first were running, and so on. */
function fairly(stages: OpenStage[]): OpenStage[] {
  const running = stages.filter(({ state }) => state === 'leased')
  const waiting = stages.filter(({ state }) => state === 'queued')
  const runsOf = new Map<string, Set<string>>()
  const shares = new Map<OpenStage, number>()
  for (const stage of [...running, ...waiting]) {
    const own = runsOf.get(stage.author) ?? new Set()
    runsOf.set(stage.author, own.add(stage.run))
    shares.set(stage, [...own].indexOf(stage.run))
  }
  const fresh = ({ deliveries }: OpenStage) => Number(deliveries === 0)
  waiting.sort((a, b) => b.priority - a.priority || fresh(a) - fresh(b) || shares.get(a)! - shares.get(b)!)
  return [...running, ...waiting]
}
