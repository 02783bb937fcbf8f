/** What boards are made of: the runs of equal settings on one benchmark, and what they measured. */
import { and, eq, exists, inArray, type SQL, sql } from 'drizzle-orm'
import { countedSeeds } from '../../../runner/science/comparison.ts'
import { withoutRetrain } from '../../../runner/science/pair.ts'
import type { Absence, Column } from '../../../schema/api/board.ts'
import type { RunSummary } from '../../../schema/api/submission.ts'
import type { Benchmark } from '../../../schema/benchmark.ts'
import { canonicalJson } from '../../../schema/parts/hash.ts'
import { runs } from '../../../schema/tables/runs.ts'
import { submissions } from '../../../schema/tables/submissions.ts'
import type { Database } from '../../bindings/database.ts'
import { columnsOf, REFERENCE, suiteWith } from '../../http/catalogue.ts'
import { isPublic } from '../parts/readable.ts'
import { runsOf } from '../parts/run-state.ts'
import { absentFrom, type SetAside, setAsideIn } from './absent.ts'
import { besideRetrain, type Measured, measurementsOf } from './measurements.ts'

export type Seeded = Measured & { seed: number }

/** What boards show of a submission. */
type Submitted = Pick<
  typeof submissions.$inferSelect,
  | 'sequence'
  | 'id'
  | 'method'
  | 'methodVersion'
  | 'params'
  | 'label'
  | 'tuning'
  | 'author'
  | 'withdrawnAt'
  | 'withdrawnBy'
  | 'withdrawnReason'
> & {
  /** Submissions of the same author and method to the same benchmark that nobody else sees. */
  privateTrials: number
}

export interface BoardRun extends RunSummary {
  /** When its last job ended; null before any did. */
  finishedAt: number | null
  /** Null until it is done. */
  measured: Measured | null
  /** Of a stage that is computed anew; null for most. */
  setAside: SetAside | null
}

/** A submission with its runs on one benchmark. */
export interface Entered {
  submission: Submitted
  runs: BoardRun[]
}

/** Submissions of one method, version and parameters, with the furthest run of each seed. */
export interface Group {
  submissions: Submitted[]
  runs: RunSummary[]
  /** Of those runs that are done and count, in the order of their seeds. */
  measured: Seeded[]
  /** Seeds of those that are done and don't count. */
  uncounted: number[]
}

/** All that was submitted in public to a benchmark as it is defined now. */
export interface Ground {
  benchmark: Benchmark
  columns: Column[]
  /** By method, version and parameters; in order of submission. */
  groups: Map<string, Group>
  /** What retrain measured, by seed; any seed, since a row is compared by its own. */
  retrained: Map<number, Seeded>
  absent: Absence[]
}

/** What was submitted in public to a benchmark of this definition, in order; with `ids`, of these submissions only. Reads about
 *  ten rows a run. */
export async function enteredIn(
  db: Database,
  { slug }: Benchmark,
  definition: string,
  ids?: string[],
): Promise<Entered[]> {
  // One parameter, for D1 binds at most 100.
  const among: SQL | undefined = ids && sql`${submissions.id} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`
  // The + keeps SQLite from beginning with all runs of the benchmark where a few submissions are asked for.
  const benchmark = ids ? sql`+${runs.benchmark} = ${slug}` : eq(runs.benchmark, slug)
  const ofThis = and(benchmark, eq(runs.definitionSha256, definition))
  const here = and(isPublic, ofThis, among)
  const { sequence, id, method, methodVersion, params, label, tuning, author } = submissions
  const { withdrawnAt, withdrawnBy, withdrawnReason } = submissions
  const withdrawn = { withdrawnAt, withdrawnBy, withdrawnReason }
  const privateTrials = trialsOn(slug)
  const [all, found, measured, setAside] = await Promise.all([
    db
      .select({ sequence, id, method, methodVersion, params, label, tuning, author, ...withdrawn, privateTrials })
      .from(submissions)
      .where(
        and(
          isPublic,
          ids
            ? and(
                among,
                exists(
                  db
                    .select({ one: sql`1` })
                    .from(runs)
                    .where(and(eq(runs.submissionId, id), ofThis)),
                ),
              )
            : inArray(id, db.select({ id: runs.submissionId }).from(runs).where(ofThis)),
        ),
      )
      .orderBy(sequence),
    runsOf(db, here),
    measurementsOf(db, here),
    setAsideIn(db, here),
  ])
  return all.map((submission) => ({
    submission,
    runs: (found.get(submission.id) ?? []).map((run) => ({
      ...run,
      measured: measured.get(run.id) ?? null,
      setAside: setAside.get(run.id) ?? null,
    })),
  }))
}

/** Of a submission: how often its author submitted its method in private to a benchmark or its suite. */
const trialsOn = (slug: string) => sql<number>`(SELECT COUNT(*) FROM submissions trial
  WHERE trial.benchmark IN (${slug}, ${suiteWith(slug)?.slug ?? slug}) AND trial.method = submissions.method
    AND trial.author = submissions.author AND trial.visibility = 'private')`

/** `entered` in order of submission. */
export function groundOf(benchmark: Benchmark, entered: Entered[]): Ground {
  const here = entered.filter(({ submission }) => submission.withdrawnAt === null)
  const byKey = Map.groupBy(here, ({ submission: { method, methodVersion, params } }) =>
    canonicalJson([method, methodVersion, params]),
  )
  const references = here.filter(({ submission }) => submission.method === REFERENCE)
  const retrained = new Map(
    furthest(references.flatMap(({ runs }) => runs)).flatMap(({ seed, measured }): [number, Seeded][] =>
      measured ? [[seed, { seed, ...measured }]] : [],
    ),
  )
  const groups = new Map(
    [...byKey].map(([key, some]): [string, Group] => {
      const best = furthest(some.flatMap((each) => each.runs))
      const measured = best.flatMap(({ seed, measured }) =>
        measured ? [{ seed, ...asColumns(besideRetrain(measured, retrained.get(seed))) }] : [],
      )
      const counted = countedSeeds(benchmark.seeds, measured)
      const counts = ({ seed }: Seeded) => counted.has(seed)
      return [
        key,
        {
          submissions: some.map(({ submission }) => submission),
          runs: best.map(({ measured: _, finishedAt: __, setAside: ___, ...run }) => run),
          measured: measured.filter(counts),
          uncounted: measured.filter((run) => !counts(run)).map(({ seed }) => seed),
        },
      ]
    }),
  )
  return {
    benchmark,
    columns: columnsWith(benchmark, [...groups.values()]),
    groups,
    retrained,
    absent: absentFrom(entered),
  }
}

/** Of each seed another retrain is beside a model; that does not make it measured otherwise. */
const asColumns = (measured: Measured): Measured => ({
  ...measured,
  identities: Object.fromEntries(
    Object.entries(measured.identities).map(([id, identity]) => [id, withoutRetrain(identity)]),
  ),
})

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

function furthest(runs: BoardRun[]): BoardRun[] {
  const bySeed = new Map<number, BoardRun>()
  for (const run of runs) {
    const known = bySeed.get(run.seed)
    if (!known || DISTANCE[run.state] > DISTANCE[known.state]) bySeed.set(run.seed, run)
  }
  return [...bySeed.values()].sort((a, b) => a.seed - b.seed)
}
