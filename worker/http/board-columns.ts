/** Columns that the CSV of every board has, unrounded. */
import type { BoardRow, Column } from '../../schema/api/board.ts'
import { canonicalJson } from '../../schema/parts/hash.ts'
import type { CsvColumn } from './csv.ts'

export const rank: CsvColumn<Pick<BoardRow, 'rank'>>[] = [
  ['rank low', ({ rank }) => rank?.low],
  ['rank high', ({ rank }) => rank?.high],
]

export const place: CsvColumn<Pick<BoardRow, 'standing'>> = ['place', ({ standing }) => standing?.place]

/** What was run, and who submitted it. */
export const settings: CsvColumn<BoardRow>[] = [
  ['method', ({ method }) => method],
  ['version', ({ methodVersion }) => methodVersion],
  ['label', ({ label }) => label],
  ['author', ({ author }) => author],
  ['params', ({ params }) => canonicalJson(params)],
  ['tuning trials', ({ tuning }) => tuning?.trials],
  ['tuning pilots', ({ tuning }) => tuning?.pilots.join(' ')],
  ['tuning seconds', ({ tuning }) => tuning?.seconds],
]

/** What of a row doesn't count. */
export const uncounted: CsvColumn<BoardRow>[] = [
  ['seeds not counted', ({ uncounted }) => uncounted.join(' ')],
  ['private trials', ({ privateTrials }) => privateTrials],
]

export const values = (columns: Column[]): CsvColumn<Pick<BoardRow, 'metrics'>>[] =>
  columns.flatMap(({ id, identity, ofTwo }) =>
    (ofTwo ? (['mean', 'sd', 'n'] as const) : (['mean', 'sd', 'n', 'gap'] as const)).map(
      (part): CsvColumn<Pick<BoardRow, 'metrics'>> => [`${identity} ${part}`, ({ metrics }) => metrics[id]?.[part]],
    ),
  )

export const avgGap: CsvColumn<Pick<BoardRow, 'avgGap' | 'gapOfMeans'>>[] = [
  ['avg gap mean', ({ avgGap }) => avgGap?.mean],
  ['avg gap sd', ({ avgGap }) => avgGap?.sd],
  ['avg gap n', ({ avgGap }) => avgGap?.n],
  ['gap of means', ({ gapOfMeans }) => gapOfMeans],
]
