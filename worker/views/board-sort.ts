/** Orders of a board. UA, RA, TA and MIA of classifiers sort by their distance from retrain, which is what makes them good or bad;
 *  metrics with a direction sort by value. */
import { z } from 'zod'
import type { BoardRow, Column, Ranking } from '../../schema/api/board.ts'

export interface Order {
  key: string
  descending: boolean
}

/** `?sort=ua` ascends, `?sort=-ua` descends; anything else is the order of the ranking. */
export const orderOf = (board: Pick<Ranking, 'columns'>, sort: string | undefined): Order => {
  const text = z.string().max(60).catch('').parse(sort)
  const key = text.replace(/^-/, '')
  const known = ['rank', 'method', 'gap', 'time', ...board.columns.map(({ id }) => id)].includes(key)
  return known ? { key, descending: text.startsWith('-') } : { key: 'rank', descending: false }
}

function sortValue(row: BoardRow, key: string, columns: Column[]): number | string | null {
  if (key === 'method') return `${row.title} ${row.label}`.toLowerCase()
  if (key === 'rank' && row.standing) return row.standing.place
  if (key === 'rank' && !row.rank) return null
  if (key === 'gap' || key === 'rank') return row.avgGap?.mean ?? null
  if (key === 'time') return row.seconds?.mean ?? null
  if (columns.find(({ id }) => id === key)?.better !== 'closer-to-retrain') return row.metrics[key]?.mean ?? null
  const gap = row.metrics[key]?.gap
  return gap === null || gap === undefined ? null : Math.abs(gap)
}

/** Rows without a value come last in both directions. */
export function sorted<Row extends BoardRow>(
  { rows, columns }: { rows: Row[]; columns: Column[] },
  { key, descending }: Order,
): Row[] {
  const keyed = rows.map((row) => ({ row, value: sortValue(row, key, columns) }))
  const present = keyed.filter(({ value }) => value !== null)
  const missing = keyed.filter(({ value }) => value === null)
  present.sort(({ value: a }, { value: b }) => (a! < b! ? -1 : a! > b! ? 1 : 0))
  if (descending) present.reverse()
  return [...present, ...missing].map(({ row }) => row)
}
