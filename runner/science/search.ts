/** Where the parameters of a method are looked for: the words that say so, and the points that are tried. `a,b,c` are values,
 *  `low..high` is a range: of logarithms where both ends are positive and at least a decade apart, which `lin:` and `log:` before it
 *  overrule. Methods declare their spaces in these words (`search` in method.ts), and commands take them. Pure. */
import type { z } from 'zod'
import { canonicalJson } from '../../schema/parts/hash.ts'
import { paramText } from '../words/command.ts'
import { UsageError } from '../words/usage.ts'
import { type Parameter, parametersOf, readValue } from './parameters.ts'

export type Dimension = { name: string } & (
  | { kind: 'values'; values: unknown[] }
  | { kind: 'range'; low: number; high: number; scale: 'lin' | 'log'; whole: boolean }
)

/** A value for each dimension. */
export type Choice = Record<string, unknown>

const NUMBER = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?`
const RANGE = new RegExp(String.raw`^(?:(\w+):)?(${NUMBER})\.\.(${NUMBER})$`)

export function dimensionOf(params: z.ZodType, name: string, text: string): Dimension {
  const [, prefix, from, to] = RANGE.exec(text.trim()) ?? []
  if (from === undefined || to === undefined) return valuesOf(params, name, text)
  if (prefix !== undefined && prefix !== 'lin' && prefix !== 'log')
    throw new UsageError(`${name}=${text}: expected lin: or log: before a range, got ${prefix}:`)
  const [low, high] = [Number(from), Number(to)]
  if (low >= high) throw new UsageError(`${name}=${text}: expected a range from the smaller end to the larger one`)
  if (prefix === 'log' && low <= 0) throw new UsageError(`${name}=${text}: logarithms need ends above 0`)
  const { type } = parametersOf(params).find((parameter) => parameter.name === name) as Parameter
  const types = type.split(' | ')
  const whole = types.includes('integer')
  if (!whole && !types.includes('number'))
    throw new UsageError(`${name}=${text}: a range is of numbers, and ${name} takes ${type}; give values, as a,b`)
  if (whole && !(Number.isInteger(low) && Number.isInteger(high)))
    throw new UsageError(`${name}=${text}: expected whole numbers, which is what ${name} takes`)
  const scale = prefix ?? (low > 0 && high / low >= 10 ? 'log' : 'lin')
  return { name, kind: 'range', low, high, scale, whole }
}

/** `a,b` are two values, unless the parameter takes the whole as one: `[0.1,0.03]`. */
function valuesOf(params: z.ZodType, name: string, text: string): Dimension {
  const whole = readValue(params, name, text)
  const parts = partsOf(text)
  const values =
    whole.fits || parts.length === 1 ? [whole.value] : parts.map((part) => readValue(params, name, part).value)
  const different = new Set(values.map((value) => canonicalJson(value)))
  if (different.size !== values.length) throw new UsageError(`${name}=${text}: expected different values`)
  return { name, kind: 'values', values }
}

/** Cut at commas outside brackets and quotes. */
function partsOf(text: string): string[] {
  const parts = ['']
  let [depth, quoted] = [0, false]
  for (const sign of text) {
    if (sign === '"') quoted = !quoted
    if (!quoted && '[{'.includes(sign)) depth += 1
    if (!quoted && ']}'.includes(sign)) depth -= 1
    if (sign === ',' && depth === 0 && !quoted) parts.push('')
    else parts[parts.length - 1] += sign
  }
  return parts.map((part) => part.trim())
}

export const isFixed = (dimension: Dimension): boolean => dimension.kind === 'values' && dimension.values.length === 1

/** Every combination of values; a range has no end of them. */
export function gridOf(space: readonly Dimension[]): Choice[] {
  let grid: Choice[] = [{}]
  for (const dimension of space) {
    if (dimension.kind === 'range')
      throw new UsageError(
        `${dimension.name}: a grid needs values, such as 0.1,0.2, and this is a range; \`palimpsest sweep --trials\` draws from ranges`,
      )
    grid = grid.flatMap((choice) => dimension.values.map((value) => ({ ...choice, [dimension.name]: value })))
  }
  return grid
}

/** So many points; `coordinate` gives their places in (0, 1), of a dimension of those that are not fixed. Fewer where several fall on
 *  the same values. */
export function pointsOf(
  space: readonly Dimension[],
  trials: number,
  coordinate: (trial: number, dimension: number) => number,
): Choice[] {
  const moving = space.filter((dimension) => !isFixed(dimension))
  const all = Array.from({ length: trials }, (_, trial) =>
    Object.fromEntries(
      space.map((dimension) => {
        const at = moving.indexOf(dimension)
        return [dimension.name, valueAt(dimension, at < 0 ? 0 : coordinate(trial, at))]
      }),
    ),
  )
  return [...new Map(all.map((choice) => [canonicalJson(choice), choice])).values()]
}

/** Numbers with three digits: as exact as anyone tunes, and as they are copied into a preset. */
function valueAt(dimension: Dimension, place: number): unknown {
  if (dimension.kind === 'values') return dimension.values[Math.floor(place * dimension.values.length)]
  const { low, high, scale, whole } = dimension
  if (whole && scale === 'lin') return low + Math.floor(place * (high - low + 1))
  const value = scale === 'log' ? low * (high / low) ** place : low + place * (high - low)
  if (whole) return Math.round(value)
  return Math.min(high, Math.max(low, Number(value.toPrecision(3))))
}

/** As a space is written. */
export function dimensionText(dimension: Dimension): string {
  if (dimension.kind === 'values') return dimension.values.map(paramText).join(',')
  return `${dimension.scale}:${dimension.low}..${dimension.high}`
}

/** Such as `learningRate=0.003, density=0.4`. */
export const choiceText = (choice: Choice): string =>
  Object.entries(choice)
    .map(([name, value]) => `${name}=${paramText(value)}`)
    .join(', ')
