/** Comma-separated values (RFC 4180), for spreadsheets of any country. */

export type Field = string | number | null | undefined

/** A line with its end. */
export const csvLine = (fields: Field[]): string => `${fields.map(written).join(',')}\r\n`

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
