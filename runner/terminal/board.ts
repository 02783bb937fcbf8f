/** A board as a text table: references first, then rows in the board's order. */
import type { Board, BoardRow } from '../../schema/api/board.ts'
import { REFERENCE } from '../catalogue.ts'
import { type Score, scoresLegend, scoresTable } from './scores.ts'

export const boardTable = ({ columns, references, rows }: Board): string[] =>
  scoresTable({
    columns,
    references: references.map((row) => scoreOf(row, columns)),
    rows: rows.map((row) => scoreOf(row, columns)),
  })

/** How to read it. */
export const boardLegend = ({ columns, ordering }: Board): string[] =>
  ordering.by === 'avg-gap'
    ? [
        ...scoresLegend([...new Set(columns.map(({ unit }) => unit))].join(', ')),
        'A rank is a range: few seeds separate few rows.',
      ]
    : ['Mean ± sample sd over n seeds.', ordering.words]

function scoreOf(row: BoardRow, columns: Board['columns']): Score {
  const { rank, standing, title, label, avgGap, metrics, seconds, fractionOfRetrain, runs, method } = row
  return {
    rank: standing
      ? String(standing.place)
      : rank === null
        ? ''
        : rank.low === rank.high
          ? String(rank.low)
          : `${rank.low}–${rank.high}`,
    name: label ? `${title} (${label})` : title,
    avgGap: method === REFERENCE ? null : avgGap,
    cells: columns.map(({ id }) => metrics[id] ?? stateOf(row)),
    seconds,
    fractionOfRetrain,
    n: runs.filter(({ state }) => state === 'done').length,
  }
}

/** Why a row has no value. */
function stateOf({ runs }: BoardRow): string {
  const states = new Set(runs.map(({ state }) => state))
  return (['running', 'queued', 'failed', 'cancelled'] as const).find((state) => states.has(state)) ?? 'not measured'
}
