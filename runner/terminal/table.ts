/** Text tables: columns as wide as their widest cell, numbers to the right. */
import { visibleInLine } from '../../schema/parts/controls.ts'
import { widthOf } from './output.ts'

export interface TableColumn {
  title: string
  align?: 'left' | 'right'
}

/** Lines without trailing spaces; `rule` rows are drawn as lines. */
export function table(columns: TableColumn[], given: (string[] | 'rule')[]): string[] {
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
