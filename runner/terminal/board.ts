/** A board as a text table: references first, then rows by Avg. Gap; under each value its signed gap to retrain. */
import type { Board, BoardRow } from '../../schema/api/board.ts'
import { REFERENCE } from '../catalogue.ts'
import { fixed, meanAndSd, signed } from './numbers.ts'
import { styledData } from './output.ts'
import { type TableColumn, table } from './table.ts'

const right = (title: string): TableColumn => ({ title, align: 'right' })

export function boardTable({ columns, references, rows }: Board): string[] {
  const heads: TableColumn[] = [
    { title: 'Rank' },
    { title: 'Method' },
    right('Avg. Gap'),
    ...columns.flatMap(({ title }) => [right(title), right('gap')]),
    right('Seconds'),
    right('× Retrain'),
    right('n'),
  ]
  const line = (row: BoardRow): string[] => {
    const isReference = row.method === REFERENCE
    return [
      rankOf(row),
      nameOf(row),
      row.avgGap && !isReference ? meanAndSd(row.avgGap) : '',
      ...columns.flatMap(({ id }) => {
        const cell = row.metrics[id]
        if (!cell) return [stateOf(row), '']
        return [meanAndSd(cell), cell.gap === null || isReference ? '' : styledData('dim', signed(cell.gap))]
      }),
      row.seconds ? fixed(row.seconds.mean, 1) : '',
      row.fractionOfRetrain ? fixed(row.fractionOfRetrain.mean, 3) : '',
      String(row.runs.filter(({ state }) => state === 'done').length),
    ]
  }
  const ruled = references.length > 0 && rows.length > 0 ? (['rule'] as const) : []
  return table(heads, [...references.map(line), ...ruled, ...rows.map(line)])
}

/** How to read it, in one line. */
export const boardLegend = ({ columns }: Board): string => {
  const units = [...new Set(columns.map(({ unit }) => unit))].join(', ')
  return `mean ± sample sd over n seeds (${units}); gap = mean signed difference to Retrain of the same seed; Avg. Gap = mean |gap|, smaller is closer to Retrain`
}

const nameOf = ({ title, label }: BoardRow) => (label ? `${title} (${label})` : title)

const rankOf = ({ rank }: BoardRow) =>
  rank === null ? '' : rank.low === rank.high ? String(rank.low) : `${rank.low}–${rank.high}`

/** Why a row has no value. */
function stateOf({ runs }: BoardRow): string {
  const states = new Set(runs.map(({ state }) => state))
  for (const state of ['running', 'queued', 'failed', 'cancelled']) if (states.has(state as 'running')) return state
  return 'not measured'
}
