/** Comma-separated values (RFC 4180). */
import type { Context } from 'hono'

type Field = string | number | null | undefined

/** The title of a column, and what a row has there. */
export type CsvColumn<Row> = [title: string, field: (row: Row) => Field]

/** A download of that name. */
export const csvAnswer = <Row>(c: Context, name: string, columns: CsvColumn<Row>[], rows: Row[]) =>
  c.body(csvOf(columns, rows), 200, {
    'content-type': 'text/csv; charset=utf-8',
    'content-disposition': `attachment; filename="${name}.csv"`,
  })

function csvOf<Row>(columns: CsvColumn<Row>[], rows: Row[]): string {
  const lines = [columns.map(([title]) => title), ...rows.map((row) => columns.map(([, field]) => field(row)))]
  return lines.map((line) => `${line.map(written).join(',')}\r\n`).join('')
}

/** What a spreadsheet takes for the begin of a formula, after spaces and control characters that it passes over; some read
 *  full-width signs as plain ones. */
const FORMULA = /^[\s\p{C}]*[=+@\uff1d\uff0b\uff20\uff0d-]|^[\t\r\n]/u

/** Quoted where needed; the begin of a formula is defused. */
function written(value: Field): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number') return String(value)
  const text = FORMULA.test(value) ? `'${value}` : value
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
