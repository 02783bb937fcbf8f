/** Submissions as the API shows them. */
import { and, desc, eq, inArray, lt, type SQL, sql } from 'drizzle-orm'
import { type ListQuery, LOOKED_AT } from '../../../schema/api/page.ts'
import type { Submission, SubmissionInQueue } from '../../../schema/api/submission.ts'
import { ApiError } from '../../../schema/errors.ts'
import { submissions } from '../../../schema/tables/submissions.ts'
import { type Database, isoTime } from '../../bindings/database.ts'
import type { Viewer } from '../../bindings/env.ts'
import { suiteWith } from '../../http/catalogue.ts'
import { readableBy } from '../parts/readable.ts'
import { runsOf } from '../parts/run-state.ts'
import { shownLabel, withdrawalOf } from '../parts/withdrawal.ts'
import { waitingRunsOf } from '../queue/queue.ts'

type Row = typeof submissions.$inferSelect

async function shown(db: Database, rows: Row[]): Promise<Submission[]> {
  const ids = rows.map(({ id }) => id)
  // At most 100 rows a page, which is also D1's limit of bound parameters.
  const found = ids.length > 0 ? await runsOf(db, inArray(submissions.id, ids)) : new Map<string, never>()
  return rows.map((row) => ({
    id: row.id,
    benchmark: row.benchmark,
    method: row.method,
    methodVersion: row.methodVersion,
    params: row.params,
    label: shownLabel(row),
    tuning: row.tuning,
    visibility: row.visibility,
    author: row.author,
    createdAt: isoTime(row.createdAt),
    withdrawn: withdrawalOf(row),
    runs: (found.get(row.id) ?? []).map(({ finishedAt: _, ...run }) => run),
  }))
}

export async function getSubmission(db: Database, id: string, viewer: Viewer, now: number): Promise<SubmissionInQueue> {
  const row = await db
    .select()
    .from(submissions)
    .where(and(eq(submissions.id, id), readableBy(viewer)))
    .get()
  if (!row) throw new ApiError('not_found', `no submission "${id}"`)
  const [submission] = await shown(db, [row])
  // Whoever has ended waits for nothing, and the queue is long.
  const waits = submission!.runs.some(({ state }) => state === 'queued' || state === 'running')
  return { ...submission!, waiting: waits ? await waitingRunsOf(db, id, now) : [] }
}

/** Looks at the newest so many only, whatever is asked for. */
export async function listSubmissions(db: Database, { benchmark, method, limit, before }: ListQuery, viewer: Viewer) {
  const fits = and(
    readableBy(viewer),
    benchmark ? isTo(benchmark) : undefined,
    method ? eq(submissions.method, method) : undefined,
  )
  const seen = await db
    .select({ row: submissions, fits: fits ? sql<number>`${fits}` : sql<number>`1` })
    .from(submissions)
    .where(before ? olderThan(before) : undefined)
    .orderBy(desc(submissions.sequence))
    .limit(LOOKED_AT)
  const found = seen.flatMap(({ row, fits }) => (fits ? [row] : []))
  const page = found.slice(0, limit)
  const last = seen.length === LOOKED_AT ? seen.at(-1)!.row : undefined
  const next = found.length > limit ? page.at(-1) : last
  return { submissions: await shown(db, page), next: next?.id ?? null }
}

/** Submissions to a suite are also those to its benchmarks. */
const isTo = (slug: string): SQL => inArray(submissions.benchmark, [slug, suiteWith(slug)?.slug ?? slug])

const olderThan = (id: string) =>
  lt(submissions.sequence, sql`(SELECT "sequence" FROM "submissions" WHERE "id" = ${id})`)
