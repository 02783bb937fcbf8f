/** Comma-separated values (RFC 4180). */

type Field = string | number | null | undefined

export const csvOf = (lines: Field[][]): string => lines.map((line) => `${line.map(field).join(',')}\r\n`).join('')

/** Quoted where needed; a leading sign of a formula is defused for spreadsheets. */
function field(value: Field): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number') return String(value)
  const text = /^[=+@\t\r-]/.test(value) ? `'${value}` : value
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
