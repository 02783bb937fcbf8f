/** What `palimpsest audit` prints: of each metric a table, the floor first, and a sentence for each row that has no number. */
import type { Audited, AuditedRow } from '../pipeline/audit.ts'
import { titleOf } from '../science/catalogue/catalogue.ts'
import { isWithin, type NullFloor } from '../science/population.ts'
import { choiceText } from '../science/search.ts'
import { fixed } from '../words/numbers.ts'
import { print } from './output.ts'
import { type Cell, type Sheet, sheetLines } from './sheet.ts'
import { table } from './table.ts'

export interface AuditReport {
  benchmark: string
  title: string
  /** A side. */
  models: number
  seeds: { rows: number[]; retrained: number[] }
  /** How many images are forgotten. */
  forget: number
  /** The parameters of each row that has some. */
  settings: Record<string, Record<string, unknown>>
  metrics: Audited[]
}

/** A row's id may carry a setting after its method. */
export const rowTitle = (row: string) => row.replace(/^\S+/, titleOf)
export const partTitle = ({ title, unit }: { title: string; unit: string }) => (unit ? `${title}, ${unit}` : title)

export function printAudit({ title, metrics, ...report }: AuditReport): void {
  print()
  print(title)
  for (const audited of metrics) {
    print()
    print(`${audited.title}  ${audited.named}`)
    if (audited.floor) for (const line of auditedTable(audited, audited.floor)) print(line)
    for (const line of sentences(audited)) print(line)
  }
  print()
  for (const line of auditLegend(report, ' (=)')) print(line)
}

function auditedTable({ parts, rows }: Audited, floor: NullFloor): string[] {
  const columns = Object.entries(parts)
  const range = columns.map(([part, { decimals }]) => {
    const { mean, low, high } = floor.parts[part]!
    return `${fixed(mean, decimals)} (${fixed(low, decimals)} to ${fixed(high, decimals)})`
  })
  const cells = (values: Record<string, number>) =>
    columns.map(([part, { decimals, ideal }]) => {
      const value = values[part]!
      return `${fixed(value, decimals)}${isWithin(floor, part, { value, ideal }) ? ' =' : '  '}`
    })
  return table(
    [{ title: 'Row' }, ...columns.map(([, part]) => ({ title: partTitle(part), align: 'right' as const }))],
    [
      ['Floor', ...range],
      'rule',
      ...rows.flatMap(({ row, values }) => (values ? [[rowTitle(row), ...cells(values)]] : [])),
    ],
  )
}

const sentences = ({ rows }: Audited): string[] => {
  const without = rows.filter((row): row is AuditedRow & { why: string } => row.why !== null)
  return [...Map.groupBy(without, ({ why }) => why)].map(
    ([why, all]) => `No number for ${all.map(({ row }) => rowTitle(row)).join(', ')}: ${why}.`,
  )
}

/** `mark` stands beside such values. */
export function auditLegend(report: Omit<AuditReport, 'title' | 'metrics'>, mark = ''): string[] {
  const { models, seeds, forget, settings } = report
  const range = (all: number[]) => `${all[0]}–${all.at(-1)}`
  const rows = Object.entries(settings).map(([row, params]) => `${rowTitle(row)} with ${choiceText(params)}`)
  return [
    `${models} models a row (seeds ${range(seeds.rows)}) beside ${models} retrained ones (seeds ${range(seeds.retrained)}), on one forget set of ${forget} images.`,
    ...(rows.length > 0 ? [`${rows.join('; ')}.`] : []),
    `Floor: the same number between two random halves of all retrained models, mean and range of the draws. A value that is no worse than the worst of these${mark} is no different from retrain, as far as this metric can see.`,
  ]
}

/** The same for other programs. */
export const auditSheets = ({ metrics, ...report }: AuditReport): Sheet[] =>
  metrics.map((audited) => {
    const { title, named, parts, floor, rows } = audited
    const columns = Object.entries(parts)
    const ofFloor = (which: 'mean' | 'low' | 'high'): Cell[] => columns.map(([part]) => floor!.parts[part]![which])
    const floors: Cell[][] = floor
      ? [
          ['Floor, mean', ...ofFloor('mean')],
          ['Floor, lowest', ...ofFloor('low')],
          ['Floor, highest', ...ofFloor('high')],
        ]
      : []
    return {
      title: `${title} ${named}`,
      columns: [{ title: 'Row' }, ...columns.map(([, part]) => ({ title: partTitle(part), decimals: part.decimals }))],
      rows: [
        ...floors,
        ...rows.map(({ row, values }): Cell[] => [rowTitle(row), ...columns.map(([part]) => values?.[part] ?? null)]),
      ],
      apart: floors.length,
      legend: [...sentences(audited), ...auditLegend(report)],
    }
  })

/** The report as a file of notes, with what is said of all tables once. */
export function auditMarkdown(report: AuditReport): string {
  const tables = auditSheets(report).map((sheet, at) =>
    sheetLines({ ...sheet, legend: sentences(report.metrics[at]!) }, 'markdown').join('\n'),
  )
  return `${[`# ${report.title}: audit`, auditLegend(report).join('\n\n'), ...tables].join('\n\n')}\n`
}
