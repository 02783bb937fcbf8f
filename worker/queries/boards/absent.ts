/** What boards showed and show no more: submissions that were withdrawn, and results that were set aside. */
import { and, desc, eq, ne, type SQL, sql } from 'drizzle-orm'
import type { Absence } from '../../../schema/api/board.ts'
import { deliveries } from '../../../schema/tables/deliveries.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { runJobs } from '../../../schema/tables/run-jobs.ts'
import { runs } from '../../../schema/tables/runs.ts'
import { submissions } from '../../../schema/tables/submissions.ts'
import { type Database, isoTime } from '../../bindings/database.ts'
import { titleOf } from '../../http/catalogue.ts'
import type { Entered } from './groups.ts'

/** A result that counts no more. */
export interface SetAside {
  runner: string
  reason: string
  at: number
}

/** The newest such result of each run that still waits for another, by run. */
export async function setAsideIn(db: Database, where: SQL | undefined): Promise<Map<string, SetAside>> {
  const rows = await db
    .select({ run: runs.id, runner: deliveries.runner, message: deliveries.message, at: deliveries.setAsideAt })
    .from(runs)
    .innerJoin(submissions, eq(submissions.id, runs.submissionId))
    .innerJoin(runJobs, eq(runJobs.runId, runs.id))
    .innerJoin(jobs, and(eq(jobs.key, runJobs.jobKey), ne(sql`+${jobs.state}`, 'done')))
    .innerJoin(deliveries, and(eq(deliveries.jobKey, jobs.key), eq(deliveries.outcome, 'set-aside')))
    .where(and(where, sql`${runs.cancelledAt} IS NULL`))
    .orderBy(desc(deliveries.attempt))
  const byRun = new Map<string, SetAside>()
  for (const { run, runner, message, at } of rows) {
    if (!byRun.has(run)) byRun.set(run, { runner, reason: message ?? '', at: at ?? 0 })
  }
  return byRun
}

/** The newest first. A label is not shown: it may be why a submission was withdrawn. */
export function absentFrom(entered: Entered[]): Absence[] {
  const all = entered.flatMap(({ submission, runs }): (Absence & { ms: number })[] => {
    const { id, method, author, withdrawnAt, withdrawnBy, withdrawnReason } = submission
    const common = (ms: number, reason: string) => ({
      ...{ submission: id, method, title: titleOf(method), author, at: isoTime(ms), ms, reason },
    })
    if (withdrawnAt !== null) {
      return [{ ...common(withdrawnAt, withdrawnReason ?? ''), why: { kind: 'withdrawn', by: withdrawnBy ?? 'admin' } }]
    }
    return runs.flatMap(({ id: run, benchmark, seed, setAside }) =>
      setAside
        ? [
            {
              ...common(setAside.at, setAside.reason),
              why: { kind: 'set-aside' as const, run, benchmark, seed, runner: setAside.runner },
            },
          ]
        : [],
    )
  })
  return newestAbsences(all.map(({ ms: _, ...absence }) => absence))
}

export const newestAbsences = (all: Absence[]): Absence[] =>
  all.toSorted((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0))
