/** Text tables: columns as wide as their widest cell, numbers to the right. */
import { stripVTControlCharacters } from 'node:util'

export interface TableColumn {
  title: string
  align?: 'left' | 'right'
}

const width = (text: string) => [...stripVTControlCharacters(text)].length

/** Lines without trailing spaces; `rule` rows are drawn as lines. */
export function table(columns: TableColumn[], rows: (string[] | 'rule')[]): string[] {
  const cells = rows.filter((row) => row !== 'rule')
  const widths = columns.map(({ title }, at) => Math.max(width(title), ...cells.map((row) => width(row[at] ?? ''))))
  const line = (row: string[]) =>
    columns
      .map(({ align }, at) => {
        const text = row[at] ?? ''
        const space = ' '.repeat(widths[at]! - width(text))
        return align === 'right' ? space + text : text + space
      })
      .join('  ')
      .trimEnd()
  const rule = widths.map((size) => '─'.repeat(size)).join('──')
  return [line(columns.map(({ title }) => title)), rule, ...rows.map((row) => (row === 'rule' ? rule : line(row)))]
}
