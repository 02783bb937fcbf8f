/** Numbers as people read them. */

/** `-0.04` with one decimal is `0.0`, never `-0.0`. */
export function fixed(value: number, decimals = 2): string {
  const text = value.toFixed(decimals)
  return Number(text) === 0 ? text.replace('-', '') : text
}

/** With its sign, `±0.00` for none. */
export function signed(value: number, decimals = 2): string {
  const text = fixed(value, decimals)
  if (Number(text) === 0) return `±${text}`
  return value > 0 ? `+${text}` : text.replace('-', '−')
}

export const count = (value: number): string => Math.round(value).toLocaleString('en-GB')

export const plural = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`

/** `155.3 MB`, in millions of bytes. */
export const megabytes = (bytes: number): string => `${fixed(bytes / 1e6, 1)} MB`

/** `0.42 s`, `12.3 s`, `4 min 05 s`, `1 h 12 min`. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${fixed(seconds, 2)} s`
  if (seconds < 60) return `${fixed(seconds, 1)} s`
  const whole = Math.round(seconds)
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`
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
