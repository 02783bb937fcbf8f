/** Medians and ranges of repeated timings, and tables of them. */

export interface Summary {
  median: number
  min: number
  max: number
}

export function summarize(numbers: readonly number[]): Summary {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return {
    median: (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle) - 1]!) / 2,
    min: sorted[0]!,
    max: sorted.at(-1)!,
  }
}

/** `1.23 (1.10 to 1.31)` */
export const withRange = ({ median, min, max }: Summary, digits: number): string =>
  `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`

/** Lines of a table: the first column to the left, the others to the right. */
export function tableOf(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)))
  const line = (cells: readonly string[]) =>
    cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ')
  return [header, ...rows].map(line).join('\n')
}
