/** Text tables: columns as wide as their widest cell, numbers to the right. Where the terminal is too narrow for that, a line a
 *  cell. */
import { visibleInLine } from '../../schema/parts/controls.ts'
import { widthOf } from './output.ts'

export interface TableColumn {
  title: string
  align?: 'left' | 'right'
}

/** Of the terminal that data goes to; a file has no width. */
export const dataWidth = (): number => process.stdout.columns ?? Number.POSITIVE_INFINITY

export const fits = (lines: string[], width: number): boolean => lines.every((line) => widthOf(line) <= width)

/** Lines without trailing spaces; `rule` rows are drawn as lines. */
export function table(columns: TableColumn[], rows: (string[] | 'rule')[], width = dataWidth()): string[] {
  const lines = drawn(columns, rows)
  return fits(lines, width) ? lines : records(columns, rows)
}

/** Each row as lines of title and cell, with a line between rows. */
function records(columns: TableColumn[], rows: (string[] | 'rule')[]): string[] {
  const longest = Math.max(...columns.map(({ title }) => widthOf(title)))
  const cells = rows.filter((row) => row !== 'rule')
  return cells.flatMap((row, index) => [
    ...(index > 0 ? [''] : []),
    ...columns.flatMap(({ title }, at) => {
      const text = visibleInLine(row[at] ?? '')
      return text === '' ? [] : [`${title}${' '.repeat(longest - widthOf(title))}  ${text}`]
    }),
  ])
}

function drawn(columns: TableColumn[], given: (string[] | 'rule')[]): string[] {
  const rows = given.map((row) => (row === 'rule' ? row : row.map(visibleInLine)))
  const cells = rows.filter((row) => row !== 'rule')
  const widths = columns.map(({ title }, at) => Math.max(widthOf(title), ...cells.map((row) => widthOf(row[at] ?? ''))))
  const line = (row: string[]) =>
    columns
      .map(({ align }, at) => {
        const text = row[at] ?? ''
        const space = ' '.repeat(widths[at]! - widthOf(text))
        return align === 'right' ? space + text : text + space
      })
      .join('  ')
      .trimEnd()
  const rule = widths.map((size) => '─'.repeat(size)).join('──')
  return [line(columns.map(({ title }) => title)), rule, ...rows.map((row) => (row === 'rule' ? rule : line(row)))]
}
