/** The board of a benchmark: rows, spreads, gaps and ranks. Page, API and export all read this. */
import { avgGapOf, fractionOfRetrain, gapOfMeans, gapsOf } from '../../../runner/science/comparison.ts'
import { apartP, mean, meanAndSpread, rankRanges } from '../../../runner/science/statistics.ts'
import type { Board, BoardRow, Cell, Column, Ordering, Spread } from '../../../schema/api/board.ts'
import type { Benchmark } from '../../../schema/benchmark.ts'
import { isoTime } from '../../bindings/database.ts'
import { isReference, referencePlace, titleOf } from '../../http/catalogue.ts'
import type { Ground, Group, Seeded } from './groups.ts'
import { orderingOf, placed } from './ordering.ts'

export function boardOf({ benchmark, columns, groups, retrained, absent }: Ground): Board {
  const rows = [...groups.values()].map((group) => {
    const gaps = gapsBySeed(group.measured, retrained, columns)
    return rowOf({ ...group, retrained, gaps, gapOfMeans: gapOfMeansOf(group.measured, retrained, columns) }, columns)
  })
  const ordering = orderingOf(benchmark, columns)
  const sorted = inOrder(rows, columns, ordering, (row) => hasOwnSeeds(benchmark, row))
  return { benchmark, columns, ordering, ...sorted, absent, generatedAt: isoTime(Date.now()) }
}

/** Whether a row was measured on all seeds of the benchmark. */
export const hasOwnSeeds = ({ seeds }: Pick<Benchmark, 'seeds'>, { seconds }: Pick<BoardRow, 'seconds'>): boolean =>
  (seconds?.n ?? 0) >= seeds.length

/** Retrain, a second retrain and original apart, then the rows by the rule of the board; those outside the ranking last. */
export function inOrder<Row extends BoardRow>(
  all: Row[],
  columns: Column[],
  ordering: Ordering,
  isRanked: (row: Row) => boolean = () => true,
): { references: Row[]; rows: Row[] } {
  const references = all
    .filter(({ method }) => isReference(method))
    .sort((a, b) => referencePlace(a.method) - referencePlace(b.method))
  const others = all.filter(({ method }) => !isReference(method))
  const leading = columns.filter(({ id }) => ordering.columns.includes(id))
  const own = others.filter(isRanked)
  const first = ordering.by === 'avg-gap' ? ranked(own) : placed(own, leading)
  return { references, rows: [...first, ...others.filter((row) => !isRanked(row))] }
}

/** A group with what its values are compared with. */
export interface Compared extends Group {
  /** What retrain measured, by seed. */
  retrained: ReadonlyMap<number, Seeded>
  /** Avg. Gap by seed. */
  gaps: ReadonlyMap<number, number>
  gapOfMeans: number | null
}

export function rowOf(
  { submissions: all, runs, measured, uncounted, retrained, gaps, gapOfMeans }: Compared,
  columns: Column[],
): BoardRow {
  const [first] = all
  const { id, method, methodVersion, params, author } = first!
  const identities = identitiesOf(measured, columns)
  const signed = measured.map(({ seed, metrics }) => gapsOf(metrics, retrained.get(seed)?.metrics))
  const cells = columns.flatMap(({ id }): [string, Cell][] => {
    const values = measured.flatMap(({ metrics }) => metrics[id] ?? [])
    // Values that were not measured alike have no mean.
    const spread = identities[id]?.length === 1 ? spreadOf(values) : null
    const gaps = signed.flatMap((gaps) => gaps[id] ?? [])
    const beside = gaps.length > 0 ? { gap: mean(gaps), gapP: apartP(gaps) } : { gap: null, gapP: null }
    return spread ? [[id, { ...spread, ...beside }]] : []
  })
  const fractions = measured.flatMap((found) => fractionOfRetrain(found, retrained.get(found.seed)) ?? [])
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
    avgGap: spreadOf([...gaps.values()]),
    gapOfMeans,
    gapBySeed: Object.fromEntries([...gaps].map(([seed, gap]) => [String(seed), gap])),
    seconds: spreadOf(measured.map(({ seconds }) => seconds)),
    mask: spreadOf(measured.flatMap(({ mask }) => mask ?? [])),
    fractionOfRetrain: spreadOf(fractions),
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

const spreadOf = (values: number[]): Spread | null => (values.length > 0 ? meanAndSpread(values) : null)

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
export const gapOfMeansOf = (
  measured: Seeded[],
  retrained: ReadonlyMap<number, Seeded>,
  columns: Column[],
): number | null =>
  gapOfMeans(
    measured.map(({ seed, metrics }) => ({ values: metrics, retrain: retrained.get(seed)?.metrics })),
    closerIn(columns),
  )

/** Ids of the columns whose gaps have a mean. */
export const closerIn = (columns: Pick<Column, 'id' | 'inAvgGap'>[]): string[] =>
  columns.flatMap(({ id, inAvgGap }) => (inAvgGap ? [id] : []))

/** Ranked rows by Avg. Gap, then those that have none yet, in order of submission. */
function ranked<Row extends BoardRow>(rows: Row[]): Row[] {
  const withGap = rows.filter(({ avgGap }) => avgGap !== null).sort((a, b) => a.avgGap!.mean - b.avgGap!.mean)
  const bySeed = ({ gapBySeed }: Row) => new Map(Object.entries(gapBySeed).map(([seed, gap]) => [Number(seed), gap]))
  const ranges = rankRanges(withGap.map((row) => ({ id: row.submission, bySeed: bySeed(row) })))
  return [
    ...withGap.map((row) => ({ ...row, rank: ranges.get(row.submission) ?? null })),
    ...rows.filter(({ avgGap }) => avgGap === null),
  ]
}
