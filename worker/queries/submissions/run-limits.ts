/** How many runs may be open, of one author and of all. A run that ended, however it did, makes room again. */
import { and, sql } from 'drizzle-orm'
import { ApiError } from '../../../schema/errors.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { runJobs } from '../../../schema/tables/run-jobs.ts'
import { runs } from '../../../schema/tables/runs.ts'
import { submissions } from '../../../schema/tables/submissions.ts'
import type { Database } from '../../bindings/database.ts'
import type { Settings } from '../../bindings/env.ts'
import { wanted } from '../jobs/next-job.ts'
import { isOpen, withoutFailure } from '../queue/open-stages.ts'
import { secondsUntilRunEnds } from '../queue/queue.ts'

interface Asked {
  author: string
  /** Runs that are to be made. */
  count: number
  settings: Settings
  now: number
}

const openRuns = (db: Database, author: string) =>
  db
    .select({
      all: sql<number>`COUNT(DISTINCT ${runs.id})`.as('all_open'),
      own: sql<number>`COUNT(DISTINCT CASE WHEN ${submissions.author} = ${author} THEN ${runs.id} END)`.as('own_open'),
    })
    .from(jobs)
    .crossJoin(runJobs)
    .crossJoin(runs)
    .crossJoin(submissions)
    .where(and(isOpen, wanted, withoutFailure))

/** Refuses with `run_limit`, which says how many there are and when to try again. */
export async function requireRoom(db: Database, { author, count, settings, now }: Asked): Promise<void> {
  const open = (await openRuns(db, author).get())!
  const { MAX_RUNS, MAX_RUNS_PER_USER } = settings
  const check = async (kind: 'own' | 'all', limit: number, whose: string) => {
    if (open[kind] + count <= limit) return
    const soonest = await secondsUntilRunEnds(db, kind === 'own' ? author : null, now)
    const retryAfterSeconds = Math.max(1, Math.ceil(soonest ?? 60))
    const when = soonest === null ? '' : `; the next is expected to end in ${retryAfterSeconds} s`
    throw new ApiError(
      'run_limit',
      `this would make ${count} runs, but ${whose} ${open[kind]} of at most ${limit} that may be open at once: ask for fewer seeds, or try again once some have ended${when}`,
      { limit, open: open[kind], asked: count, retryAfterSeconds },
    )
  }
  await check('own', MAX_RUNS_PER_USER, `${author} has`)
  await check('all', MAX_RUNS, 'this server has')
}

/** For the transaction that makes the runs: ends it with an error where requests at once would go over a limit together. */
export const roomGuard = (db: Database, { author, count, settings }: Asked) => {
  const open = openRuns(db, author).as('open')
  const over = sql`${open.own} + ${count} > ${settings.MAX_RUNS_PER_USER} OR ${open.all} + ${count} > ${settings.MAX_RUNS}`
  // What is no JSON is an error.
  return db.select({ room: sql`json(CASE WHEN ${over} THEN 'none' ELSE 'true' END)` }).from(open)
}
