/** Every number on a page is written here: real minus signs, no float noise, words where there is no number. */

const MINUS = '\u2212'
const THIN_SPACE = '\u2009'

/** What stands where nothing was measured. */
export const NOT_MEASURED = 'not measured'

/** A fixed number of decimals. An exact 0 is "0"; what only rounds to 0 keeps its decimals and loses its sign. */
export function decimal(value: number | null | undefined, digits = 2): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOT_MEASURED
  if (value === 0) return '0'
  const text = grouped(Math.abs(value).toFixed(digits))
  return value < 0 && /[1-9]/.test(text) ? MINUS + text : text
}

/** With a sign unless it is, or rounds to, 0. */
export function signed(value: number | null | undefined, digits = 2): string {
  const text = decimal(value, digits)
  return value && value > 0 && /[1-9]/.test(text) ? `+${text}` : text
}

/** "±0.25", or why there is none. */
export const plusMinus = (sd: number | null, digits = 2): string =>
  sd === null ? 'one seed' : `±${decimal(sd, digits)}`

/** Digits in groups of three, set apart by thin spaces, from 10,000 on. */
function grouped(text: string): string {
  const [whole = '', fraction] = text.split('.')
  const spaced = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, THIN_SPACE) : whole
  return fraction === undefined ? spaced : `${spaced}.${fraction}`
}

/** Three significant digits, never in scientific notation: "0.0613", "1.02", "12.4", "350". */
export function significant(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return NOT_MEASURED
  if (value === 0) return '0'
  // Of the rounded value: 0.0999 with one digit is 0.1.
  const magnitude = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(digits)))))
  return decimal(value, Math.min(Math.max(digits - 1 - magnitude, 0), 8))
}

export const count = (value: number): string => grouped(String(Math.round(value)))

/** For columns: always in seconds. */
export const seconds = (value: number | null): string =>
  value === null ? NOT_MEASURED : `${value >= 1000 ? count(value) : significant(value)}${THIN_SPACE}s`

/** For prose: the two largest units. */
export function duration(value: number): string {
  if (value < 60) return `${significant(value, 2)}${THIN_SPACE}s`
  const minutes = Math.round(value / 60)
  if (value < 3600) {
    const whole = Math.floor(Math.round(value) / 60)
    return `${whole}${THIN_SPACE}min ${Math.round(value) % 60}${THIN_SPACE}s`
  }
  return `${Math.floor(minutes / 60)}${THIN_SPACE}h ${minutes % 60}${THIN_SPACE}min`
}

/** Multiple of retrain's time. */
export const times = (value: number | null): string => (value === null ? NOT_MEASURED : `${significant(value)}×`)

export function fileSize(bytes: number): string {
  if (bytes < 1000) return `${bytes}${THIN_SPACE}B`
  const units = ['kB', 'MB', 'GB']
  const exponent = Math.min(Math.floor(Math.log10(bytes) / 3), units.length)
  return `${significant(bytes / 1000 ** exponent)}${THIN_SPACE}${units[exponent - 1]}`
}

/** "1" or "2–4". */
export const rankRange = ({ low, high }: { low: number; high: number }): string =>
  low === high ? String(low) : `${low}–${high}`

export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`

/** "2026-11-23 11:12 UTC". */
export const utc = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 16)}${THIN_SPACE}UTC`
