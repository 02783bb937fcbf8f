/** A table as data, and the formats that it leaves in beside the terminal's own: for spreadsheets, notes and papers. */
import { visibleInLine } from '../../schema/parts/controls.ts'
import { csvLine, type Field } from '../words/csv.ts'
import { fixed, signed } from '../words/numbers.ts'
import { print } from './output.ts'

export const formats = ['table', 'csv', 'json', 'markdown', 'latex'] as const
export type Format = (typeof formats)[number]
/** Those that a sheet is written in. */
export type SheetFormat = Exclude<Format, 'table' | 'json'>

export interface Spread {
  mean: number
  sd: number | null
  /** To retrain. */
  gap?: number | null
}

/** Numbers are written in full in CSV; elsewhere with the decimals of their column. */
export type Cell = string | number | Spread | null

export interface Sheet {
  title?: string
  columns: { title: string; decimals?: number }[]
  rows: Cell[][]
  /** So many rows above are apart from the others. */
  apart?: number
  /** How to read it. */
  legend?: string[]
}

export function printSheets(sheets: Sheet[], format: SheetFormat): void {
  for (const [index, sheet] of sheets.entries()) {
    if (index > 0) print()
    for (const line of sheetLines(sheet, format)) print(line)
  }
}

export const sheetLines = (sheet: Sheet, format: SheetFormat): string[] => writers[format](sheet)

const isSpread = (cell: Cell | undefined): cell is Spread => typeof cell === 'object' && cell !== null
/** Whether any row has numbers in that column: then it is set to the right. */
const isNumeric = ({ rows }: Sheet, at: number) => rows.some((row) => typeof row[at] === 'number' || isSpread(row[at]))

const writers: Record<SheetFormat, (sheet: Sheet) => string[]> = { csv, markdown, latex }

/** A value with its spread takes a column for each of its numbers; gaps only where there are any. */
function csv({ columns, rows }: Sheet): string[] {
  const parts = columns.map((_, at): (keyof Spread)[] | null => {
    const spreads = rows.map((row) => row[at]).filter(isSpread)
    if (spreads.length === 0) return null
    return spreads.some(({ gap }) => typeof gap === 'number') ? ['mean', 'sd', 'gap'] : ['mean', 'sd']
  })
  const head = columns.flatMap(({ title }, at) => parts[at]?.map((part) => `${title} ${part}`) ?? [title])
  const lines = rows.map((row) =>
    row.flatMap((cell, at): Field[] => {
      const own = parts[at]
      if (!own) return [cell as Field]
      return own.map((part, i) => (isSpread(cell) ? cell[part] : i === 0 ? (cell as Field) : null))
    }),
  )
  return [head, ...lines].map((line) => csvLine(line).slice(0, -'\r\n'.length))
}

const rounded = (value: number, decimals: number | undefined): string =>
  decimals === undefined ? String(value) : fixed(value, decimals)

function markdown(sheet: Sheet): string[] {
  const { title, columns, rows, legend = [] } = sheet
  const escaped = (text: string) => visibleInLine(text).replace(/[\\|`*_<>[\]#~]/g, '\\$&')
  const shown = (cell: Cell | undefined, decimals?: number): string => {
    if (cell === null || cell === undefined) return ''
    if (typeof cell === 'string') return escaped(cell)
    if (typeof cell === 'number') return rounded(cell, decimals)
    const { mean, sd, gap } = cell
    const spread = sd === null ? '' : ` ± ${rounded(sd, decimals)}`
    return `${rounded(mean, decimals)}${spread}${typeof gap === 'number' ? ` (${signed(gap, decimals)})` : ''}`
  }
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  return [
    ...(title ? [`**${escaped(title)}**`, ''] : []),
    line(columns.map(({ title }) => escaped(title))),
    line(columns.map((_, at) => (isNumeric(sheet, at) ? '---:' : '---'))),
    ...rows.map((row) => line(columns.map(({ decimals }, at) => shown(row[at], decimals)))),
    ...(legend.length > 0 ? ['', escaped(legend.join(' '))] : []),
  ]
}

/** Characters that LaTeX would not print as they are. */
const LATEX: Record<string, string> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '|': '\\textbar{}',
  '"': '\\textquotedbl{}',
  '×': '$\\times$',
  '±': '$\\pm$',
  '−': '$-$',
  '∞': '$\\infty$',
  '–': '--',
}
const latexText = (text: string): string =>
  visibleInLine(text)
    .replace(/[\\~^<>|"×±−∞–]|[&%$#_{}]/g, (sign) => LATEX[sign] ?? `\\${sign}`)
    .replace(/10⁻³/g, '$10^{-3}$')

/** With the package booktabs; a tabular, to stand in a table of one's own. */
function latex(sheet: Sheet): string[] {
  const { title, columns, rows, apart = 0, legend = [] } = sheet
  const number = (value: number, decimals?: number) => `$${rounded(value, decimals).replace('−', '-')}$`
  const shown = (cell: Cell | undefined, decimals?: number): string => {
    if (cell === null || cell === undefined) return ''
    if (typeof cell === 'string') return latexText(cell)
    if (typeof cell === 'number') return number(cell, decimals)
    const { mean, sd, gap } = cell
    const spread = sd === null ? '' : `_{\\pm ${rounded(sd, decimals)}}`
    const apart = typeof gap === 'number' ? ` (${number(gap, decimals)})` : ''
    return `$${rounded(mean, decimals).replace('−', '-')}${spread}$${apart}`
  }
  const line = (cells: string[]) => `${cells.join(' & ')} \\\\`
  const body = rows.map((row) => line(columns.map(({ decimals }, at) => shown(row[at], decimals))))
  return [
    ...[title, ...legend].filter((text) => text).map((text) => `% ${visibleInLine(text!)}`),
    `\\begin{tabular}{${columns.map((_, at) => (isNumeric(sheet, at) ? 'r' : 'l')).join('')}}`,
    '\\toprule',
    line(columns.map(({ title }) => latexText(title))),
    '\\midrule',
    ...body.slice(0, apart),
    ...(apart > 0 && apart < body.length ? ['\\midrule'] : []),
    ...body.slice(apart),
    '\\bottomrule',
    '\\end{tabular}',
  ]
}
