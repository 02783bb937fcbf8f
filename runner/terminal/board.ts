/** A board as a text table: references first, then rows by Avg. Gap; under each value its signed gap to retrain. */
import { stripVTControlCharacters } from 'node:util'
import type { Board, BoardRow } from '../../schema/api/board.ts'
import { REFERENCE } from '../catalogue.ts'
import { fixed, meanAndSd, signed } from './numbers.ts'
import { styledData } from './output.ts'
import { type TableColumn, table } from './table.ts'

/** What is left out, in turn, where the terminal is too narrow. */
const VARIANTS = [
  { spread: true, times: true },
  { spread: true, times: false },
  { spread: false, times: true },
  { spread: false, times: false },
]
type Variant = (typeof VARIANTS)[number]

export function boardTable(board: Board, width = process.stdout.columns ?? Number.POSITIVE_INFINITY): string[] {
  const drawn = VARIANTS.map((variant) => draw(board, variant))
  const fits = (lines: string[]) => lines.every((line) => [...stripVTControlCharacters(line)].length <= width)
  return drawn.find(fits) ?? drawn.at(-1)!
}

const right = (title: string): TableColumn => ({ title, align: 'right' })

function draw({ columns, references, rows }: Board, { spread, times }: Variant): string[] {
  const heads: TableColumn[] = [
    { title: 'Rank' },
    { title: 'Method' },
    right('Avg. Gap'),
    ...columns.map(({ title }) => right(title)),
    ...(times ? [right('Seconds'), right('× Retrain'), right('n')] : []),
  ]
  const lines = (row: BoardRow): string[][] => {
    const compared = row.method !== REFERENCE
    const cells = columns.map(({ id }) => row.metrics[id])
    const values = [
      rankOf(row),
      nameOf(row),
      compared && row.avgGap ? meanAndSd(row.avgGap) : '',
      ...cells.map((cell) => (cell ? meanAndSd(spread ? cell : { ...cell, sd: null }) : stateOf(row))),
      row.seconds ? fixed(row.seconds.mean, 1) : '',
      row.fractionOfRetrain ? fixed(row.fractionOfRetrain.mean, 3) : '',
      String(row.runs.filter(({ state }) => state === 'done').length),
    ]
    const gaps = cells.map((cell) => (cell && cell.gap !== null ? styledData('dim', signed(cell.gap)) : ''))
    return compared && gaps.some(Boolean) ? [values, ['', '', '', ...gaps]] : [values]
  }
  const ruled = references.length > 0 && rows.length > 0 ? (['rule'] as const) : []
  return table(heads, [...references.flatMap(lines), ...ruled, ...rows.flatMap(lines)])
}

/** How to read it. */
export function boardLegend({ columns }: Board): string[] {
  const units = [...new Set(columns.map(({ unit }) => unit))].join(', ')
  return [
    `Mean ± sample sd over n seeds, in ${units}; below it the mean signed gap to Retrain`,
    'of the same seed. Avg. Gap is the mean |gap|: smaller is closer to Retrain.',
    'A rank is a range: few seeds separate few rows.',
  ]
}

const nameOf = ({ title, label }: BoardRow) => (label ? `${title} (${label})` : title)

const rankOf = ({ rank }: BoardRow) =>
  rank === null ? '' : rank.low === rank.high ? String(rank.low) : `${rank.low}–${rank.high}`

/** Why a row has no value. */
function stateOf({ runs }: BoardRow): string {
  const states = new Set(runs.map(({ state }) => state))
  return (['running', 'queued', 'failed', 'cancelled'] as const).find((state) => states.has(state)) ?? 'not measured'
}
