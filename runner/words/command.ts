/** The command that repeats a run, and values of parameters as its words write them. */
import { canonicalJson } from '../../schema/parts/hash.ts'

/** How commands are shown to people, to be typed in a checkout. Not by `npx`: in any other folder it fetches whatever stands under
 *  that name in the registry, and runs it with the secrets that stand beside it. */
export const COMMAND = 'node runner/palimpsest.js'

/** A value behind `name=`: JSON, but strings as they are, unless they would be read as something else. */
export const paramText = (value: unknown): string =>
  typeof value === 'string' && readingsOf(value).length === 1 ? value : JSON.stringify(value)

/** What a word behind `name=` may mean, the likelier first; the parameter's schema chooses. */
export function readingsOf(text: string): unknown[] {
  const readings: unknown[] = [text]
  // `.5` and `1.` are no JSON.
  if (text.trim() !== '' && Number.isFinite(Number(text))) readings.unshift(Number(text))
  try {
    readings.unshift(JSON.parse(text))
  } catch {}
  return readings
}

/** A word as a POSIX shell reads it back. */
export const quoted = (word: string): string =>
  /^[\w.,:/=@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`

/** `0-9` of ten that follow one another, else each of them. */
export function seedsText(seeds: readonly number[]): string {
  const [first = 0] = seeds
  const follow = seeds.length > 3 && seeds.every((seed, place) => seed === first + place)
  return follow ? `${first}-${seeds.at(-1)}` : seeds.join(',')
}

/** Names only the parameters whose values are not the usual ones. */
export function runCommand({
  target,
  method,
  params = {},
  usual,
  seeds,
  every,
}: {
  /** Slug of a benchmark or suite. */
  target: string
  method: string
  params?: Record<string, unknown>
  /** What they are where none is given. */
  usual: Record<string, unknown>
  seeds: number[]
  every?: string | undefined
}): string {
  const own = Object.entries(params).filter(([name, value]) => canonicalJson(value) !== canonicalJson(usual[name]))
  const words = own.map(([name, value]) => `--param ${quoted(`${name}=${paramText(value)}`)}`)
  const looks = every === undefined ? [] : [`--every ${every}`]
  const run = [COMMAND, 'run', quoted(target), `--method ${method}`, ...words, `--seeds ${seedsText(seeds)}`, ...looks]
  return run.join(' ')
}
