/** Every number on a page is written here: as in a terminal, but with thin spaces, and words where there is no number. */
import { intervalOf } from '../../runner/science/statistics.ts'
import * as words from '../../runner/words/numbers.ts'

export { rankRange } from '../../runner/words/numbers.ts'

const THIN_SPACE = '\u2009'

/** What stands where nothing was measured. */
export const NOT_MEASURED = 'not measured'

/** Thin spaces between groups of digits. */
const thin = (text: string): string => text.replace(/(?<=\d),(?=\d{3})/g, THIN_SPACE)

/** Before units as well. */
const withUnits = (text: string): string => thin(text).replace(/(?<=\d) (?=[a-zA-Z])/g, THIN_SPACE)

/** A fixed number of decimals. An exact 0 is "0"; what only rounds to 0 keeps its decimals and loses its sign. */
export function decimal(value: number | null | undefined, digits = 2): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOT_MEASURED
  return value === 0 ? '0' : thin(words.grouped(words.fixed(value, digits)))
}

/** With a sign unless it is, or rounds to, 0. */
export const signed = (value: number | null | undefined, digits = 2): string =>
  value && Number.isFinite(value) ? thin(words.grouped(words.signed(value, digits))) : decimal(value, digits)

/** "±0.25", or why there is none. */
export const plusMinus = (sd: number | null, digits = 2): string =>
  sd === null ? 'one seed' : `±${decimal(sd, digits)}`

/** "3", or "2 of 4 runs" where runs share seeds and are averaged first. */
export const sizeOf = ({ n, runs }: { n: number; runs?: number | undefined }): string =>
  runs === undefined ? String(n) : `${n} of ${plural(runs, 'run')}`

/** "1.204 to 1.866": where the mean of what was measured so often is to be looked for, with 95%. */
export function intervalWords(spread: { mean: number; sd: number | null; n: number }, digits = 2): string {
  const interval = intervalOf(spread)
  return interval ? `${decimal(interval.low, digits)} to ${decimal(interval.high, digits)}` : plusMinus(null)
}

/** Three significant digits, never in scientific notation: "0.0613", "1.02", "12.4", "350". */
export const significant = (value: number, digits = 3): string => decimal(value, words.decimalsFor(value, digits))

export const count = (value: number): string => thin(words.count(value))

export const plural = (n: number, one: string, many?: string): string => thin(words.plural(n, one, many))

/** For columns: always in seconds. */
export const seconds = (value: number | null): string =>
  value === null ? NOT_MEASURED : `${value >= 1000 ? count(value) : significant(value)}${THIN_SPACE}s`

/** For prose: the two largest units. */
export const duration = (value: number): string => withUnits(words.duration(value))

/** Multiple of retrain's time. */
export const times = (value: number | null): string => (value === null ? NOT_MEASURED : `${significant(value)}×`)

export const fileSize = (bytes: number): string => withUnits(words.byteSize(bytes))

export const gibibytes = (bytes: number): string => withUnits(words.gibibytes(bytes))

/** "2026-11-23 11:12 UTC". */
export const utc = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 16)}${THIN_SPACE}UTC`
