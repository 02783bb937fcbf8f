/** What `palimpsest score` prints: each metric of a file, and where it stands beside retrain. */
import type { StageResult } from '../../schema/result.ts'
import type { Compared } from '../pipeline/score-file.ts'
import { metricOf } from '../science/catalogue/catalogue.ts'
import { fixed, signed } from '../words/numbers.ts'
import { note, print, printJson } from './output.ts'
import { type Format, printSheets } from './sheet.ts'
import { table } from './table.ts'

export interface ScoredFile {
  values: StageResult['metrics']
  /** Beside a retrained model, where its evidence was given. */
  compared: (Compared & { retrain: StageResult['metrics'] }) | null
  notes: string[]
}

const titleOf = (id: string) => metricOf(id)?.title ?? id

export function printScored({ values, compared, notes }: ScoredFile, format: Format): void {
  const rows = Object.entries(values).map(([id, { identity, value }]) => ({
    identity,
    value,
    retrain: compared?.retrain[id]?.value ?? null,
    gap: compared?.gaps[id] ?? null,
  }))
  const titles = ['Metric', 'Value', ...(compared ? ['Retrain', 'Gap'] : [])]
  if (format === 'json') {
    const { retrain, gaps, avgGap, over } = compared ?? {}
    printJson(compared ? { ...values, comparison: { retrain, gaps, avgGap, over } } : values)
  } else if (format === 'table') {
    const cells = rows.map(({ identity, value, retrain, gap }) => [
      identity,
      fixed(value, 4),
      ...(compared ? [retrain === null ? '' : fixed(retrain, 4), gap === null ? '' : signed(gap, 4)] : []),
    ])
    const columns = titles.map((title, at) => ({ title, align: at === 0 ? ('left' as const) : ('right' as const) }))
    for (const line of table(columns, cells)) print(line)
    if (compared?.avgGap != null) print(avgGapWords(compared))
  } else {
    const columns = titles.map((title, at) => (at === 0 ? { title } : { title, decimals: 4 }))
    const cells = rows.map(({ identity, value, retrain, gap }) => [
      identity,
      value,
      ...(compared ? [retrain, gap] : []),
    ])
    const last = compared?.avgGap != null ? [['Avg. Gap', null, null, compared.avgGap]] : []
    printSheets([{ columns, rows: [...cells, ...last] }], format)
  }
  for (const line of notes) note(line)
  if (compared && compared.avgGap === null) note(withoutAvgGap(compared))
}

const avgGapWords = ({ avgGap, over }: Compared) =>
  `Avg. Gap ${fixed(avgGap!, 4)}: the mean |gap| of ${over.map(titleOf).join(', ')}`

const withoutAvgGap = ({ over }: Compared) =>
  over.length === 0
    ? 'No Avg. Gap: it is over none of these metrics.'
    : `No Avg. Gap: it needs ${over.map(titleOf).join(', ')} on both sides.`
