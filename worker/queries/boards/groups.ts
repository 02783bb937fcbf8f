/** What boards are made of: the runs of equal settings on one benchmark, and what they measured. */
import { and, eq, exists, sql } from 'drizzle-orm'
import type { Column } from '../../../schema/api/board.ts'
import type { RunSummary } from '../../../schema/api/submission.ts'
import type { Benchmark } from '../../../schema/benchmark.ts'
import { canonicalJson } from '../../../schema/parts/hash.ts'
import { definitionOf } from '../../../schema/plan.ts'
import { runs } from '../../../schema/tables/runs.ts'
import { submissions } from '../../../schema/tables/submissions.ts'
import type { Database } from '../../bindings/database.ts'
import { columnsOf, REFERENCE } from '../../http/catalogue.ts'
import { isPublic } from '../parts/readable.ts'
import { runsOf } from '../parts/run-state.ts'
import { type Measured, measurementsOf } from './measurements.ts'

export type Seeded = Measured & { seed: number }

/** Submissions of one method, version and parameters, with the furthest run of each seed. */
export interface Group {
  submissions: (typeof submissions.$inferSelect)[]
  runs: RunSummary[]
  /** Of those runs that are done, in the order of their seeds. */
  measured: Seeded[]
}

/** All that was submitted in public to a benchmark as it is defined now. */
export interface Ground {
  benchmark: Benchmark
  columns: Column[]
  /** By method, version and parameters; in order of submission. */
  groups: Map<string, Group>
  /** What retrain measured, by seed. */
  retrained: Map<number, Seeded>
}

/** In as many queries for many benchmarks as for one. */
export async function groundsOf(db: Database, benchmarks: Benchmark[]): Promise<Ground[]> {
  const definitions = JSON.stringify(await Promise.all(benchmarks.map(definitionOf)))
  // One parameter, for D1 binds at most 100.
  const here = and(isPublic, sql`${runs.definitionSha256} IN (SELECT value FROM json_each(${definitions}))`)
  const runsHere = db
    .select({ one: sql`1` })
    .from(runs)
    .where(and(eq(runs.submissionId, submissions.id), here))
  const [all, found, measured] = await Promise.all([
    db.select().from(submissions).where(exists(runsHere)).orderBy(submissions.sequence),
    runsOf(db, here),
    measurementsOf(db, here),
  ])
  return benchmarks.map((benchmark) => {
    const groups = new Map<string, Group>()
    for (const submission of all) {
      const own = (found.get(submission.id) ?? []).filter((run) => run.benchmark === benchmark.slug)
      if (own.length === 0) continue
      const { method, methodVersion, params } = submission
      const key = canonicalJson([method, methodVersion, params])
      const group = groups.get(key) ?? { submissions: [], runs: [], measured: [] }
      group.submissions.push(submission)
      group.runs.push(...own)
      groups.set(key, group)
    }
    for (const group of groups.values()) {
      group.runs = furthest(group.runs)
      group.measured = group.runs.flatMap(({ id, seed }) => {
        const values = measured.get(id)
        return values ? [{ seed, ...values }] : []
      })
    }
    const references = [...groups.values()].filter(({ submissions: [first] }) => first!.method === REFERENCE)
    return {
      benchmark,
      columns: columnsWith(benchmark, [...groups.values()]),
      groups,
      retrained: new Map(references.flatMap((group) => group.measured).map((values) => [values.seed, values])),
    }
  })
}

/** The columns of a benchmark with the identities that their values have, the most frequent first. */
function columnsWith(benchmark: Benchmark, groups: Group[]): Column[] {
  const measured = groups.flatMap((group) => group.measured)
  return columnsOf(benchmark).map((column) => ({
    ...column,
    measured: frequent(measured.flatMap(({ identities }) => identities[column.id] ?? [])),
  }))
}

/** Each once, the most frequent first. */
export const frequent = (identities: string[]): string[] =>
  [...Map.groupBy(identities, (identity) => identity)]
    .sort(([a, some], [b, others]) => others.length - some.length || (a < b ? -1 : 1))
    .map(([identity]) => identity)

const DISTANCE = { cancelled: 0, failed: 1, queued: 2, running: 3, done: 4 }

function furthest(runs: RunSummary[]): RunSummary[] {
  const bySeed = new Map<number, RunSummary>()
  for (const run of runs) {
    const known = bySeed.get(run.seed)
    if (!known || DISTANCE[run.state] > DISTANCE[known.state]) bySeed.set(run.seed, run)
  }
  return [...bySeed.values()].sort((a, b) => a.seed - b.seed)
}
