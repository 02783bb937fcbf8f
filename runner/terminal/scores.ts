/** Scores of methods as a text table: under each value its signed gap to retrain. */
import { fixed, meanAndSd, signed } from '../words/numbers.ts'
import { styledData } from './output.ts'
import type { Sheet } from './sheet.ts'
import { dataWidth, fits, type TableColumn, table } from './table.ts'

type Spread = { mean: number; sd: number | null }

export interface Score {
  rank?: string
  name: string
  /** Null for retrain itself, and where there is none yet. */
  avgGap: Spread | null
  /** Shown below it where there are several seeds. */
  gapOfMeans: number | null
  /** In the order of the columns: a value with its gap, or why there is none. */
  cells: ((Spread & { gap: number | null }) | string)[]
  seconds: Spread | null
  fractionOfRetrain: Spread | null
  n: number
}

export interface Scores {
  /** With two decimals, unless others are named. */
  columns: { title: string; decimals?: number }[]
  /** Apart from the others, above. */
  references: Score[]
  rows: Score[]
}

/** What is left out, in turn, where the terminal is too narrow. */
const VARIANTS = [
  { spread: true, times: true },
  { spread: true, times: false },
  { spread: false, times: true },
  { spread: false, times: false },
]
type Variant = (typeof VARIANTS)[number] & { beside?: boolean }

export function scoresTable(scores: Scores, width = dataWidth()): string[] {
  const wide = VARIANTS.map((variant) => draw(scores, variant, Number.POSITIVE_INFINITY)).find((lines) =>
    fits(lines, width),
  )
  // A line a value, with its gap behind it.
  return wide ?? draw(scores, { ...VARIANTS[0]!, beside: true }, 0)
}

/** Whether any row is compared with retrain by the gap of its metrics; generated images are not. */
export const hasGaps = ({ references, rows }: Pick<Scores, 'references' | 'rows'>): boolean =>
  [...references, ...rows].some(({ avgGap }) => avgGap !== null)

/** Where a gap stands: in a sheet, in parentheses or a column of its own. */
export type GapPlace = 'below it' | 'beside it'

interface Legend {
  /** Such as `%`. */
  units: string
  compared: boolean
  place?: GapPlace | undefined
  /** Titles of the columns that Avg. Gap leaves out. */
  beside: string[]
  /** Columns of metrics of two models. */
  ofTwo: { title: string; better: string }[]
}

/** How to read it. */
export const scoresLegend = ({ units, compared, place = 'below it', beside, ofTwo }: Legend): string[] => [
  ...(compared
    ? [
        `Mean ± sample sd over n seeds, in ${units}; ${place} the mean signed gap to Retrain`,
        'of the same seed. Avg. Gap is the mean |gap| of a seed: smaller is closer to Retrain.',
        place === 'below it'
          ? 'Below it, of several seeds, the gap of means, as tables of papers have it: the mean of the |gap| beside it.'
          : 'The gap of means, as tables of papers have it, is the mean of the |gap| of the means.',
        ...(beside.length > 0 ? [`Neither is over ${beside.join(' or ')}.`] : []),
      ]
    : [`Mean ± sample sd over n seeds, in ${units}.`]),
  ...(ofTwo.length > 0
    ? [
        `${ofTwo.map(({ title, better }) => `${title} (${better} is better)`).join(' and ')}: of a row and Retrain together, so Retrain has none.`,
      ]
    : []),
]

/** The same for other programs, with the gaps beside the values. */
export function scoresSheet({ columns, references, rows }: Scores, words: Pick<Sheet, 'title' | 'legend'>): Sheet {
  const all = [...references, ...rows]
  const ranked = rows.some(({ rank }) => rank !== undefined)
  const compared = hasGaps({ references, rows })
  const two = (title: string) => ({ title, decimals: 2 })
  return {
    ...words,
    columns: [
      ...(ranked ? [{ title: 'Rank' }] : []),
      { title: 'Method' },
      ...(compared ? [two('Avg. Gap'), two('Gap of means')] : []),
      ...columns.map(({ title, decimals = 2 }) => ({ title, decimals })),
      two('Seconds'),
      { title: '× Retrain', decimals: 3 },
      { title: 'n' },
    ],
    rows: all.map(({ rank = '', name, avgGap, gapOfMeans, cells, seconds, fractionOfRetrain, n }) => [
      ...(ranked ? [rank] : []),
      name,
      ...(compared ? [spreadOnly(avgGap), gapOfMeans] : []),
      ...cells.map((cell) => (typeof cell === 'string' || avgGap ? cell : spreadOnly(cell))),
      seconds?.mean ?? null,
      fractionOfRetrain?.mean ?? null,
      n,
    ]),
    apart: references.length,
  }
}

const spreadOnly = (value: Spread | null): Spread | null => value && { mean: value.mean, sd: value.sd }

const right = (title: string): TableColumn => ({ title, align: 'right' })

function draw({ columns, references, rows }: Scores, { spread, times, beside }: Variant, width: number): string[] {
  const ranked = rows.some(({ rank }) => rank !== undefined)
  const compared = hasGaps({ references, rows })
  const heads: TableColumn[] = [
    ...(ranked ? [{ title: 'Rank' }] : []),
    { title: 'Method' },
    ...(compared ? [right('Avg. Gap')] : []),
    ...columns.map(({ title }) => right(title)),
    ...(times ? [right('Seconds'), right('× Retrain'), right('n')] : []),
  ]
  const shown = (value: Spread, decimals?: number) => meanAndSd(spread ? value : { ...value, sd: null }, decimals)
  const lines = ({ rank = '', name, avgGap, gapOfMeans, cells, seconds, fractionOfRetrain, n }: Score): string[][] => {
    const first = ranked ? [rank] : []
    const gaps = cells.map((cell, at) =>
      typeof cell === 'string' || cell.gap === null ? '' : styledData('dim', signed(cell.gap, columns[at]!.decimals)),
    )
    const values = [
      ...first,
      name,
      ...(compared ? [avgGap ? shown(avgGap) : ''] : []),
      ...cells.map((cell, at) => {
        if (typeof cell === 'string') return cell
        const value = shown(cell, columns[at]!.decimals)
        return beside && avgGap && gaps[at] ? `${value} (${gaps[at]})` : value
      }),
      seconds ? fixed(seconds.mean, seconds.mean < 10 ? 2 : 1) : '',
      fractionOfRetrain ? fixed(fractionOfRetrain.mean, 3) : '',
      String(n),
    ]
    const several = avgGap !== null && avgGap.sd !== null
    const ofMeans = several && gapOfMeans !== null ? styledData('dim', fixed(gapOfMeans)) : ''
    return avgGap && !beside && gaps.some(Boolean) ? [values, [...first.map(() => ''), '', ofMeans, ...gaps]] : [values]
  }
  const ruled = references.length > 0 && rows.length > 0 ? (['rule'] as const) : []
  return table(heads, [...references.flatMap(lines), ...ruled, ...rows.flatMap(lines)], width)
}
