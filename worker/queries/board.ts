/** The board of a benchmark: rows, spreads, gaps and ranks. Page, API and export all read this. */
import { and, eq } from 'drizzle-orm'
import { avgGap, meanAndSpread, rankRanges } from '../../runner/statistics.ts'
import type { Board, BoardRow, Cell, Column, Spread } from '../../schema/api/board.ts'
import type { RunSummary } from '../../schema/api/submission.ts'
import type { Benchmark } from '../../schema/benchmark.ts'
import { definitionOf } from '../../schema/plan.ts'
import { canonicalJson } from '../../schema/stage.ts'
import { submissions } from '../../schema/tables/submissions.ts'
import { columnsOf, methods, REFERENCE, titleOf } from '../catalogue.ts'
import { type Database, isoTime } from '../database.ts'
import { orderingOf, placed } from '../ordering.ts'
import { type Measured, measurementsOf } from './measurements.ts'
import { runsOf } from './run-state.ts'

type Submission = typeof submissions.$inferSelect

/** Submissions of one method, version and parameters, with the furthest run of each seed. */
interface Group {
  submissions: Submission[]
  runs: RunSummary[]
}

export async function getBoard(db: Database, benchmark: Benchmark): Promise<Board> {
  const here = and(
    eq(submissions.benchmark, benchmark.slug),
    eq(submissions.definitionSha256, await definitionOf(benchmark)),
  )
  const [all, runs, measured] = await Promise.all([
    db.select().from(submissions).where(here).orderBy(submissions.sequence),
    runsOf(db, here),
    measurementsOf(db, here),
  ])
  const columns = columnsOf(benchmark).map((column) => ({ ...column, measured: frequent(measured, column.id) }))
  const ordering = orderingOf(benchmark, columns)
  const groups = groupsOf(all, runs)
  const measurements = (group: Group) =>
    group.runs.flatMap(({ id, seed }) => {
      const found = measured.get(id)
      return found ? [{ seed, ...found }] : []
    })
  const retrained = new Map(
    groups
      .filter(({ submissions: [first] }) => first!.method === REFERENCE)
      .flatMap((group) => measurements(group).map((found) => [found.seed, found])),
  )
  const rows = groups.map((group) => rowOf(group, measurements(group), retrained, columns))
  const isReference = ({ method }: BoardRow) => methods.get(method)?.trainsOn !== undefined
  const leading = columns.filter(({ id }) => ordering.columns.includes(id))
  const inOrder = (rows: BoardRow[]) => (ordering.by === 'avg-gap' ? ranked(rows) : placed(rows, leading))
  const order = [REFERENCE, 'original']
  const references = rows.filter(isReference).sort((a, b) => order.indexOf(a.method) - order.indexOf(b.method))
  return {
    benchmark,
    columns,
    ordering,
    references,
    rows: inOrder(rows.filter((row) => !isReference(row))),
    generatedAt: isoTime(Date.now()),
  }
}

/** The identities that a column's values have, the most frequent first. */
function frequent(measured: Map<string, Measured>, id: string): string[] {
  const all = [...measured.values()].flatMap(({ identities }) => identities[id] ?? [])
  return [...Map.groupBy(all, (identity) => identity)]
    .sort(([a, some], [b, others]) => others.length - some.length || (a < b ? -1 : 1))
    .map(([identity]) => identity)
}

function groupsOf(all: Submission[], runs: Map<string, RunSummary[]>): Group[] {
  const groups = new Map<string, Group>()
  for (const submission of all) {
    const { method, methodVersion, params } = submission
    const key = canonicalJson([method, methodVersion, params])
    const group = groups.get(key) ?? { submissions: [], runs: [] }
    group.submissions.push(submission)
    group.runs.push(...(runs.get(submission.id) ?? []))
    groups.set(key, group)
  }
  for (const group of groups.values()) group.runs = furthest(group.runs)
  return [...groups.values()]
}

const DISTANCE = { cancelled: 0, failed: 1, queued: 2, running: 3, done: 4 }

function furthest(runs: RunSummary[]): RunSummary[] {
  const bySeed = new Map<number, RunSummary>()
  for (const run of runs) {
    const known = bySeed.get(run.seed)
    if (!known || DISTANCE[run.state] > DISTANCE[known.state]) bySeed.set(run.seed, run)
  }
  return [...bySeed.values()].sort((a, b) => a.seed - b.seed)
}

type Seeded = Measured & { seed: number }

function rowOf(
  { submissions: all, runs }: Group,
  measured: Seeded[],
  retrained: Map<number, Seeded>,
  columns: Column[],
): BoardRow {
  const [first] = all
  const { id, method, methodVersion, params, author } = first!
  const cells = columns.flatMap((column): [string, Cell][] => {
    const pairs = measured.flatMap(({ seed, metrics }) => {
      const value = metrics[column.id]
      return value === undefined ? [] : [{ value, retrain: retrained.get(seed)?.metrics[column.id] }]
    })
    const spread = spreadOf(pairs.map(({ value }) => value))
    const gaps = pairs.flatMap(({ value, retrain }) => (retrain === undefined ? [] : [value - retrain]))
    return spread ? [[column.id, { ...spread, gap: spreadOf(gaps)?.mean ?? null }]] : []
  })
  const gapBySeed = measured.flatMap(({ seed, metrics }): [number, number][] => {
    const gap = gapOf(metrics, retrained.get(seed)?.metrics, columns)
    return gap === null ? [] : [[seed, gap]]
  })
  const fractions = measured.flatMap((found) => fractionOf(found, retrained.get(found.seed)) ?? [])
  const identities = columns.flatMap(({ id }): [string, string[]][] => {
    const found = new Set(measured.flatMap((run) => run.identities[id] ?? []))
    return found.size > 0 ? [[id, [...found].sort()]] : []
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
    metrics: Object.fromEntries(cells),
    avgGap: spreadOf(gapBySeed.map(([, gap]) => gap)),
    gapBySeed: Object.fromEntries(gapBySeed.map(([seed, gap]) => [String(seed), gap])),
    seconds: spreadOf(measured.map(({ seconds }) => seconds)),
    mask: spreadOf(measured.flatMap(({ mask }) => mask ?? [])),
    fractionOfRetrain: spreadOf(fractions),
    rank: null,
    standing: null,
    identities: Object.fromEntries(identities),
    deviceClass: classes.size > 0 ? [...classes].sort().join(', ') : null,
    runs,
  }
}

const spreadOf = (values: number[]): Spread | null => (values.length > 0 ? meanAndSpread(values) : null)

/** Avg. Gap of one run; null unless both sides have every metric of the benchmark. */
export function gapOf(
  own: Record<string, number>,
  retrain: Record<string, number> | undefined,
  columns: Pick<Column, 'id' | 'better'>[],
): number | null {
  const closeness = columns.filter(({ better }) => better === 'closer-to-retrain')
  const pick = (values: Record<string, number>) =>
    Object.fromEntries(closeness.flatMap(({ id }) => (values[id] === undefined ? [] : [[id, values[id]]])))
  if (!retrain) return null
  const [a, b] = [pick(own), pick(retrain)]
  const complete = Object.keys(a).length === closeness.length && Object.keys(b).length === closeness.length
  return complete && closeness.length > 0 ? avgGap(a, b) : null
}

/** Time over retrain's of the same seed; null on another device class. */
export const fractionOf = (own: Measured, retrain: Measured | undefined): number | null =>
  retrain && retrain.deviceClass === own.deviceClass && retrain.seconds > 0 ? own.seconds / retrain.seconds : null

/** Ranked rows by Avg. Gap, then those that have none yet, in order of submission. */
function ranked(rows: BoardRow[]): BoardRow[] {
  const withGap = rows.filter(({ avgGap }) => avgGap !== null).sort((a, b) => a.avgGap!.mean - b.avgGap!.mean)
  const bySeed = ({ gapBySeed }: BoardRow) =>
    new Map(Object.entries(gapBySeed).map(([seed, gap]) => [Number(seed), gap]))
  const ranges = rankRanges(withGap.map((row) => ({ id: row.submission, bySeed: bySeed(row) })))
  return [
    ...withGap.map((row) => ({ ...row, rank: ranges.get(row.submission) ?? null })),
    ...rows.filter(({ avgGap }) => avgGap === null),
  ]
}
