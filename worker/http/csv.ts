/** Boards as comma-separated values. */
import type { Context } from 'hono'
import { csvLine, type Field } from '../../runner/words/csv.ts'

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
  return lines.map(csvLine).join('')
}
