/** One metric of a suite as a text table: classes down, methods across, the average last. */
import { meanAndSd } from '../words/numbers.ts'
import type { Sheet } from './sheet.ts'
import { table } from './table.ts'

type Value = { mean: number; sd: number | null } | null

export interface ClassColumn {
  title: string
  /** In the order of the classes; null where nothing was measured. */
  cells: Value[]
  average: Value
}

export function classTable(classes: string[], columns: ClassColumn[], decimals = 2): string[] {
  const shown = (value: Value) => (value ? meanAndSd(value, decimals) : 'not measured')
  return table(
    [{ title: 'Class' }, ...columns.map(({ title }) => ({ title, align: 'right' as const }))],
    [
      ...classes.map((name, at) => [name, ...columns.map(({ cells }) => shown(cells[at] ?? null))]),
      'rule',
      ['Average', ...columns.map(({ average }) => shown(average))],
    ],
  )
}

/** The same for other programs. */
export const classSheet = (title: string, classes: string[], columns: ClassColumn[], decimals = 2): Sheet => ({
  title,
  columns: [{ title: 'Class' }, ...columns.map(({ title }) => ({ title, decimals }))],
  rows: [
    ...classes.map((name, at) => [name, ...columns.map(({ cells }) => cells[at] ?? null)]),
    ['Average', ...columns.map(({ average }) => average)],
  ],
})
