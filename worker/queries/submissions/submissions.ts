/** Submissions as the API shows them. */
import { and, desc, eq, exists, inArray, lt, or, type SQL, sql } from 'drizzle-orm'
import type { ListQuery } from '../../../schema/api/page.ts'
import type { Submission, SubmissionInQueue } from '../../../schema/api/submission.ts'
import { ApiError } from '../../../schema/errors.ts'
import { runs } from '../../../schema/tables/runs.ts'
import { submissions } from '../../../schema/tables/submissions.ts'
import { type Database, isoTime } from '../../bindings/database.ts'
import type { Viewer } from '../../bindings/env.ts'
import { readableBy } from '../parts/readable.ts'
import { runsOf } from '../parts/run-state.ts'
import { waitingRunsOf } from '../queue/queue.ts'

type Row = typeof submissions.$inferSelect

async function shown(db: Database, rows: Row[]): Promise<Submission[]> {
  const ids = rows.map(({ id }) => id)
  // At most 100 rows a page, which is also D1's limit of bound parameters.
  const found = ids.length > 0 ? await runsOf(db, inArray(submissions.id, ids)) : new Map()
  return rows.map((row) => ({
    id: row.id,
    benchmark: row.benchmark,
    method: row.method,
    methodVersion: row.methodVersion,
    params: row.params,
    label: row.label,
    visibility: row.visibility,
    author: row.author,
    createdAt: isoTime(row.createdAt),
    runs: found.get(row.id) ?? [],
  }))
}

export async function getSubmission(db: Database, id: string, viewer: Viewer, now: number): Promise<SubmissionInQueue> {
  const row = await db
    .select()
    .from(submissions)
    .where(and(eq(submissions.id, id), readableBy(viewer)))
    .get()
  if (!row) throw new ApiError('not_found', `no submission "${id}"`)
  const [[submission], waiting] = await Promise.all([shown(db, [row]), waitingRunsOf(db, id, now)])
  return { ...submission!, waiting }
}

export async function listSubmissions(db: Database, { benchmark, method, limit, before }: ListQuery, viewer: Viewer) {
  const rows = await db
    .select()
    .from(submissions)
    .where(and(readableBy(viewer), ...filtersOf(db, { benchmark, method }), before ? olderThan(before) : undefined))
    .orderBy(desc(submissions.sequence))
    .limit(limit + 1)
  const page = rows.slice(0, limit)
  return { submissions: await shown(db, page), next: rows.length > limit ? page.at(-1)!.id : null }
}

/** Submissions to a suite are also those to its benchmarks. */
const filtersOf = (
  db: Database,
  { benchmark, method }: Pick<ListQuery, 'benchmark' | 'method'>,
): (SQL | undefined)[] => [
  benchmark ? or(eq(submissions.benchmark, benchmark), exists(runsOn(db, benchmark))) : undefined,
  method ? eq(submissions.method, method) : undefined,
]

const runsOn = (db: Database, benchmark: string) =>
  db
    .select({ one: sql`1` })
    .from(runs)
    .where(and(eq(runs.submissionId, submissions.id), eq(runs.benchmark, benchmark)))

const olderThan = (id: string) =>
  lt(submissions.sequence, sql`(SELECT "sequence" FROM "submissions" WHERE "id" = ${id})`)
