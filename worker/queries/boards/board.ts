/** The board of a benchmark: rows, spreads, gaps and ranks. Page, API and export all read this. */
import { avgGapOf, fractionOfRetrain, gapOfMeans, gapsOf } from '../../../runner/science/comparison.ts'
import { apartOver, rankRanges, spreadOver } from '../../../runner/science/statistics.ts'
import type { Board, BoardRow, Cell, Column, Ordering, Spread } from '../../../schema/api/board.ts'
import type { Benchmark } from '../../../schema/benchmark.ts'
import { clustersOf } from '../../../schema/parts/seeding.ts'
import { isoTime } from '../../bindings/database.ts'
import { isReference, referencePlace, titleOf } from '../../http/catalogue.ts'
import type { Ground, Group, Seeded } from './groups.ts'
import { orderingOf, placed } from './ordering.ts'

export function boardOf({ benchmark, columns, groups, retrained, absent }: Ground): Board {
  const clusterOf = clustersOf(benchmark)
  const rows = [...groups.values()].map((group) => {
    const compared = { ...group, retrained, clusterOf }
    return rowOf(
      {
        ...compared,
        gaps: gapsBySeed(group.measured, retrained, columns),
        gapOfMeans: gapOfMeansOf(compared, columns),
      },
      columns,
    )
  })
  const ordering = orderingOf(benchmark, columns)
  const isRanked = (row: BoardRow) => hasOwnSeeds(benchmark, row)
  const sorted = inOrder(rows, columns, ordering, { clusterOf, isRanked })
  return { benchmark, columns, ordering, ...sorted, absent, generatedAt: isoTime(Date.now()) }
}

/** Whether a row was measured on all seeds of the benchmark. */
export const hasOwnSeeds = ({ seeds }: Pick<Benchmark, 'seeds'>, { seconds }: Pick<BoardRow, 'seconds'>): boolean =>
  (seconds?.runs ?? seconds?.n ?? 0) >= seeds.length

/** Retrain, a second retrain and original apart, then the rows by the rule of the board; those outside the ranking last,
 *  first those of which most was measured, then by Avg. Gap. */
export function inOrder<Row extends BoardRow>(
  all: Row[],
  columns: Column[],
  ordering: Ordering,
  { clusterOf, isRanked }: { clusterOf: ClusterOf; isRanked: (row: Row) => boolean },
): { references: Row[]; rows: Row[] } {
  const references = all
    .filter(({ method }) => isReference(method))
    .sort((a, b) => referencePlace(a.method) - referencePlace(b.method))
  const others = all.filter(({ method }) => !isReference(method))
  const leading = columns.filter(({ id }) => ordering.columns.includes(id))
  const own = others.filter(isRanked)
  const first = ordering.by === 'avg-gap' ? ranked(own, clusterOf) : placed(own, leading)
  const done = ({ runs }: Row) => runs.filter(({ state }) => state === 'done').length
  const gapOf = ({ avgGap }: Row) => avgGap?.mean ?? Number.MAX_VALUE
  const last = others.filter((row) => !isRanked(row)).sort((a, b) => done(b) - done(a) || gapOf(a) - gapOf(b))
  return { references, rows: [...first, ...last] }
}

/** The cluster that a run counts in, by its seed. */
type ClusterOf = (seed: number) => number

/** What was measured, and what it is compared with. */
interface Measurements extends Pick<Group, 'measured'> {
  /** What retrain measured, by seed. */
  retrained: ReadonlyMap<number, Seeded>
  clusterOf: ClusterOf
}

/** A group with what its values are compared with. */
export interface Compared extends Group, Measurements {
  /** Avg. Gap by seed. */
  gaps: ReadonlyMap<number, number>
  gapOfMeans: number | null
}

export function rowOf(
  { submissions: all, runs, measured, uncounted, retrained, clusterOf, gaps, gapOfMeans }: Compared,
  columns: Column[],
): BoardRow {
  const [first] = all
  const { id, method, methodVersion, params, author } = first!
  const identities = identitiesOf(measured, columns)
  const over = (value: (run: Seeded) => number | null | undefined): Spread | null =>
    spreadOver(measured, ({ seed }) => clusterOf(seed), value)
  const cells = columns.flatMap(({ id }): [string, Cell][] => {
    // Values that were not measured alike have no mean.
    const spread = identities[id]?.length === 1 ? over(({ metrics }) => metrics[id]) : null
    const gapOf = ({ seed, metrics }: Seeded) => gapsOf(metrics, retrained.get(seed)?.metrics)[id]
    const beside = {
      gap: over(gapOf)?.mean ?? null,
      gapP: apartOver(measured, ({ seed }) => clusterOf(seed), gapOf),
    }
    return spread ? [[id, { ...spread, ...beside }]] : []
  })
  const classes = new Set(measured.map(({ deviceClass }) => deviceClass))
  return {
    submission: id,
    submissions: all.map((submission) => submission.id),
    method,
    methodVersion,
    title: titleOf(method),
    label: all.find(({ label }) => label !== '')?.label ?? '',
    params,
    author,
    tuning: tuningOf(all),
    metrics: Object.fromEntries(cells),
    avgGap: over(({ seed }) => gaps.get(seed)),
    gapOfMeans,
    gapBySeed: Object.fromEntries([...gaps].map(([seed, gap]) => [String(seed), gap])),
    seconds: over(({ seconds }) => seconds),
    mask: over(({ mask }) => mask),
    fractionOfRetrain: over((run) => fractionOfRetrain(run, retrained.get(run.seed))),
    rank: null,
    standing: null,
    identities,
    deviceClass: classes.size > 0 ? [...classes].sort().join(', ') : null,
    runs,
    uncounted,
    privateTrials: trialsOf(all),
  }
}

/** Several submissions of one author share their trials. */
function trialsOf(submissions: Group['submissions']): number {
  const byAuthor = new Map(submissions.map(({ author, privateTrials }) => [author, privateTrials]))
  return [...byAuthor.values()].reduce((sum, trials) => sum + trials, 0)
}

/** Of those who say different things, what costs most. */
const tuningOf = (submissions: Group['submissions']): BoardRow['tuning'] =>
  submissions.flatMap(({ tuning }) => tuning ?? []).toSorted((a, b) => b.seconds - a.seconds)[0] ?? null

/** The identities of the values of each column, where there are any. */
export function identitiesOf(measured: Seeded[], columns: Column[]): BoardRow['identities'] {
  const entries = columns.flatMap(({ id }): [string, string[]][] => {
    const found = new Set(measured.flatMap((run) => run.identities[id] ?? []))
    return found.size > 0 ? [[id, [...found].sort()]] : []
  })
  return Object.fromEntries(entries)
}

/** Avg. Gap of each seed that has one. */
export function gapsBySeed(
  measured: Seeded[],
  retrained: ReadonlyMap<number, Seeded>,
  columns: Column[],
): Map<number, number> {
  return new Map(
    measured.flatMap(({ seed, metrics }): [number, number][] => {
      const gap = avgGapOf(metrics, retrained.get(seed)?.metrics, closerIn(columns))
      return gap === null ? [] : [[seed, gap]]
    }),
  )
}

/** Over the seeds that have an Avg. Gap. */
export const gapOfMeansOf = ({ measured, retrained, clusterOf }: Measurements, columns: Column[]): number | null =>
  gapOfMeans(
    measured.map(({ seed, metrics }) => ({
      values: metrics,
      retrain: retrained.get(seed)?.metrics,
      cluster: clusterOf(seed),
    })),
    closerIn(columns),
  )

/** Ids of the columns whose gaps have a mean. */
export const closerIn = (columns: Pick<Column, 'id' | 'inAvgGap'>[]): string[] =>
  columns.flatMap(({ id, inAvgGap }) => (inAvgGap ? [id] : []))

/** Ranked rows by Avg. Gap, then those that have none yet, in order of submission. */
function ranked<Row extends BoardRow>(rows: Row[], clusterOf: ClusterOf): Row[] {
  const withGap = rows.filter(({ avgGap }) => avgGap !== null).sort((a, b) => a.avgGap!.mean - b.avgGap!.mean)
  const bySeed = ({ gapBySeed }: Row) => new Map(Object.entries(gapBySeed).map(([seed, gap]) => [Number(seed), gap]))
  const ranges = rankRanges(
    withGap.map((row) => ({ id: row.submission, bySeed: bySeed(row) })),
    { clusterOf },
  )
  return [
    ...withGap.map((row) => ({ ...row, rank: ranges.get(row.submission) ?? null })),
    ...rows.filter(({ avgGap }) => avgGap === null),
  ]
}
