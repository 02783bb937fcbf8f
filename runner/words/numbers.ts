/** Numbers as people read them, the same in a terminal and on a page but for the spaces, which pages make thin. */

const MINUS = '−'

/** With a real minus sign; `−0.04` with one decimal is `0.0`, never `−0.0`. */
export function fixed(value: number, decimals = 2): string {
  const text = Math.abs(value).toFixed(decimals)
  return value < 0 && /[1-9]/.test(text) ? MINUS + text : text
}

/** With its sign, unless it is, or rounds to, 0. */
export function signed(value: number, decimals = 2): string {
  const text = fixed(value, decimals)
  return value > 0 && /[1-9]/.test(text) ? `+${text}` : text
}

/** Digits in groups of three from 10,000 on. */
export function grouped(text: string): string {
  const [whole = '', fraction] = text.split('.')
  const set = /\d{5}/.test(whole) ? whole.replace(/(?<=\d)(?=(\d{3})+$)/g, ',') : whole
  return fraction === undefined ? set : `${set}.${fraction}`
}

export const count = (value: number): string => grouped(fixed(value, 0))

export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`

/** Decimals that show so many significant digits, never in scientific notation: `0.0613`, `1.02`, `12.4`, `350`. */
export function decimalsFor(value: number, digits = 3): number {
  if (value === 0) return 0
  // Of the rounded value: 0.0999 with one digit is 0.1.
  const magnitude = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(digits)))))
  return Math.min(Math.max(digits - 1 - magnitude, 0), 8)
}

export const significant = (value: number, digits = 3): string => fixed(value, decimalsFor(value, digits))

/** `87 B`, `4.20 MB`, in powers of a thousand. */
export function byteSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  const units = ['kB', 'MB', 'GB']
  const exponent = Math.min(Math.floor(Math.log10(bytes) / 3), units.length)
  return `${significant(bytes / 1000 ** exponent)} ${units[exponent - 1]}`
}

/** Memory, which is sold in powers of 1024: `15.6 GiB`. */
export const gibibytes = (bytes: number): string => `${fixed(bytes / 2 ** 30, 1)} GiB`

/** `0.42 s`, `12.3 s`, `4 min 05 s`, `1 h 12 min`. */
export function duration(seconds: number): string {
  if (seconds < 9.995) return `${fixed(seconds, 2)} s`
  if (seconds < 59.95) return `${fixed(seconds, 1)} s`
  const whole = Math.round(seconds)
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`
  const minutes = Math.round(whole / 60)
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`
}

/** What is left, without false precision. */
export function timeLeft(seconds: number): string {
  if (!Number.isFinite(seconds)) return ''
  if (seconds < 5) return 'a few s left'
  if (seconds < 90) return `${Math.round(seconds / 5) * 5} s left`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min left`
  return `${fixed(seconds / 3600, 1)} h left`
}

export const meanAndSd = ({ mean, sd }: { mean: number; sd: number | null }, decimals = 2): string =>
  sd === null ? fixed(mean, decimals) : `${fixed(mean, decimals)} ± ${fixed(sd, decimals)}`

/** `1` or `2–4`. */
export const rankRange = ({ low, high }: { low: number; high: number }): string =>
  low === high ? String(low) : `${low}–${high}`
