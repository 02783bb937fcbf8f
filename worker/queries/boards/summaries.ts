/** What pages about all boards show of each: little enough to read all of them for every view. */
import type { BoardRow, Column, Ordering, Ranking } from '../../../schema/api/board.ts'
import { isReference } from '../../http/catalogue.ts'
import { gapsBySeed } from './board.ts'
import type { Entered, Ground } from './groups.ts'

/** How many of a board's rows, and of its newest results, are shown. */
const LEADERS = 3
export const NEWEST = 8

type Leader = Pick<BoardRow, 'title' | 'label' | 'rank' | 'standing' | 'metrics' | 'avgGap'>

/** A run that is done. */
export interface Newest {
  run: string
  benchmark: string
  method: string
  label: string
  seed: number
  finishedAt: number
  avgGap: number | null
}

export interface Summary {
  runs: number
  methods: number
  ordering: Ordering
  columns: Column[]
  /** The first rows that have a rank or a place. */
  leaders: Leader[]
  newest: Newest[]
}

/** A row as the page of its method shows it. */
export type MethodRow = Pick<
  BoardRow,
  'method' | 'submission' | 'label' | 'rank' | 'standing' | 'avgGap' | 'seconds' | 'fractionOfRetrain' | 'runs'
>

export function summaryOf({ references, rows, columns, ordering }: Ranking, newest: Newest[]): Summary {
  const leaders = rows.filter(({ rank, standing }) => rank !== null || standing !== null).slice(0, LEADERS)
  return {
    runs: [...references, ...rows].reduce((sum, row) => sum + row.runs.length, 0),
    methods: new Set(rows.map(({ method }) => method)).size,
    ordering,
    columns,
    leaders: leaders.map(({ title, label, rank, standing, metrics, avgGap }) => ({
      ...{ title, label, rank, standing, metrics, avgGap },
    })),
    newest,
  }
}

export const newestFirst = (all: Newest[]): Newest[] =>
  all.toSorted((a, b) => b.finishedAt - a.finishedAt).slice(0, NEWEST)

/** With the Avg. Gap of the run itself. */
export function newestOf({ columns, retrained }: Ground, entered: Entered[]): Newest[] {
  const done = entered.flatMap(({ submission: { method, label }, runs }) =>
    runs.flatMap(({ id, benchmark, seed, state, finishedAt, measured }) => {
      if (state !== 'done' || finishedAt === null) return []
      const gaps = measured && !isReference(method) ? gapsBySeed([{ seed, ...measured }], retrained, columns) : null
      return { run: id, benchmark, method, label, seed, finishedAt, avgGap: gaps?.get(seed) ?? null }
    }),
  )
  return newestFirst(done)
}

export function methodRowsOf({ references, rows }: Ranking): Map<string, MethodRow[]> {
  return Map.groupBy(
    [...references, ...rows].map(
      ({ method, submission, label, rank, standing, avgGap, seconds, fractionOfRetrain, runs }) => ({
        ...{ method, submission, label, rank, standing, avgGap, seconds, fractionOfRetrain, runs },
      }),
    ),
    ({ method }) => method,
  )
}
