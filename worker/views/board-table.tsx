/** The board as a table: references first, then rows. Every cell has the same three lines: mean, spread, gap to retrain. */

import type { Child } from 'hono/jsx'
import type { BoardRow, Column, Ranking } from '../../schema/api/board.ts'
import { decimalsOf } from '../http/catalogue.ts'
import { Uncounted } from './absences.tsx'
import { MetricHead, SortHead } from './board-heads.tsx'
import type { Order } from './board-sort.ts'
import { Cautions, cautionsOf } from './cautions.tsx'
import { decimal, NOT_MEASURED, plusMinus, rankRange, seconds, signed, significant, sizeOf, times } from './numbers.ts'
import { Params } from './params.tsx'
import { Scroll } from './scroll.tsx'
import { progressWords, wordOf } from './state.tsx'
import { tuningWords } from './tuning.ts'

/** Fewer seeds than this are marked, not hidden. */
export const PROVISIONAL_BELOW = 10

const gapClass = (gap: number) => (gap < 0 ? 'below' : gap > 0 ? 'above' : undefined)

const MetricCell = ({ row, column, isRetrain }: { row: BoardRow; column: Column; isRetrain: boolean }) => {
  const cell = row.metrics[column.id]
  const cautions = cautionsOf(row, column)
  const marks = cautions.map((words) => <span class="sd warn">{words}</span>)
  if (isRetrain && column.ofTwo) return <td class="num muted">the reference</td>
  if (!cell) {
    return <td class="num muted">{cautions.length > 0 ? ['no mean', ...marks] : NOT_MEASURED}</td>
  }
  const { mean, sd, gap } = cell
  const digits = decimalsOf(column.id)
  return (
    <td class="num">
      <span class="mean">{decimal(mean, digits)}</span>
      <span class="sd">{plusMinus(sd, digits)}</span>
      {column.ofTwo ? null : isRetrain ? (
        <span class="sd">reference</span>
      ) : gap === null ? (
        <span class="sd">no retrain yet</span>
      ) : (
        <span class={gapClass(gap)}>{signed(gap, digits)}</span>
      )}
      {marks}
    </td>
  )
}

const GapCell = ({ row: { avgGap, gapOfMeans }, isRetrain }: { row: BoardRow; isRetrain: boolean }) => {
  if (isRetrain) return <td class="num muted">the reference</td>
  if (!avgGap) return <td class="num muted">{NOT_MEASURED}</td>
  return (
    <td class="num">
      <span class="mean">{decimal(avgGap.mean)}</span>
      <span class="sd">{plusMinus(avgGap.sd)}</span>
      {avgGap.n > 1 && <span class="sd">of means {decimal(gapOfMeans)}</span>}
    </td>
  )
}

const TimeCell = ({ row, isRetrain }: { row: BoardRow; isRetrain: boolean }) => {
  if (!row.seconds) return <td class="num muted">{NOT_MEASURED}</td>
  const { mean, sd } = row.seconds
  return (
    <td class="num">
      <span class="mean">{seconds(mean)}</span>
      <span class="sd">{sd === null ? 'one seed' : `±${significant(sd, 2)}`}</span>
      <span class={isRetrain ? 'sd' : undefined}>
        {isRetrain
          ? 'reference'
          : row.fractionOfRetrain
            ? `${times(row.fractionOfRetrain.mean)} retrain`
            : 'other device than retrain'}
      </span>
    </td>
  )
}

const Seeds = ({ row: { runs } }: { row: BoardRow }) => (
  <span class="seeds">
    {runs.length === 1 ? 'seed' : 'seeds'}{' '}
    {runs.map(({ id, seed, state }) => (
      <>
        <a href={`/runs/${id}`}>{seed}</a>
        {state !== 'done' && ` (${wordOf(state).toLowerCase()})`}{' '}
      </>
    ))}
  </span>
)

/** The seeds with links to their runs, and how far they are. */
const Runs = ({ row }: { row: BoardRow }) => {
  const progress = progressWords(row.runs)
  return (
    <>
      <Seeds row={row} />
      {progress && <div class="small muted">{progress}</div>}
    </>
  )
}

const MethodCell = ({ row, about }: { row: BoardRow; about: Child }) => {
  return (
    <th scope="row">
      <a href={`/methods/${row.method}`}>{row.title}</a>
      {row.label && <> {row.label}</>}
      <br />
      {about}
      <Uncounted row={row} />
      {row.tuning && <div class="small muted">{tuningWords(row.tuning)}</div>}
      {Object.keys(row.params).length > 0 && (
        <details>
          <summary>
            Parameters
            <span class="visually-hidden">
              {' '}
              of {row.title} {row.label}
            </span>
          </summary>
          <Params params={row.params} />
          <p class="small muted">
            by {row.author}, <a href={`/submissions/${row.submission}`}>submission</a>
          </p>
        </details>
      )}
    </th>
  )
}

/** Where places order the board: the place, and the places that it comes from. */
const StandingCell = ({ row: { standing }, columns }: { row: BoardRow; columns: Column[] }) => {
  if (!standing) return <td class="num muted">{NOT_MEASURED}</td>
  return (
    <td class="num">
      <span class="mean">{standing.place}</span>
      <span class="sd">
        {columns
          .flatMap(({ id, title }) => {
            const place = standing.places[id]
            return place === undefined ? [] : [`${title} ${place}`]
          })
          .join(', ')}
      </span>
    </td>
  )
}

const RankCell = ({ row: { rank, avgGap }, ranked }: { row: BoardRow; ranked: number }) => {
  if (!rank || !avgGap) return <td class="num muted">not ranked yet</td>
  return (
    <td class="num">
      <span class="mean">{rankRange(rank)}</span>
      {ranked > 1 && (
        <span class="sd">
          beats {ranked - rank.high}, beaten by {rank.low - 1}
        </span>
      )}
      {avgGap.n < PROVISIONAL_BELOW && <span class="sd">provisional, n={sizeOf(avgGap)}</span>}
    </td>
  )
}

const Row = ({
  row,
  board: { columns, ordering },
  ranked,
  isRetrain,
  about,
}: {
  row: BoardRow
  board: Ranking
  ranked: number | null
  isRetrain: boolean
  about: Child
}) => (
  <tr class={ranked === null ? 'reference' : undefined}>
    <MethodCell row={row} about={about} />
    {ranked === null ? (
      <td class="num">
        <span class="muted">outside the ranking</span>
        <span class="sd">n={sizeOf(row.seconds ?? { n: 0 })}</span>
      </td>
    ) : ordering.by === 'avg-gap' ? (
      <RankCell row={row} ranked={ranked} />
    ) : (
      <StandingCell row={row} columns={columns} />
    )}
    {ordering.by === 'avg-gap' && <GapCell row={row} isRetrain={isRetrain} />}
    {columns.filter(leads).map((column) => (
      <MetricCell row={row} column={column} isRetrain={isRetrain} />
    ))}
    <TimeCell row={row} isRetrain={isRetrain} />
    {columns.filter(follows).map((column) => (
      <MetricCell row={row} column={column} isRetrain={isRetrain} />
    ))}
  </tr>
)

/** Metrics that no rank is made of stand behind the time, where a narrow screen has to be scrolled. */
const follows = ({ better, inAvgGap, ofTwo }: Column) => ofTwo || (better === 'closer-to-retrain' && !inAvgGap)
const leads = (column: Column) => !follows(column)

interface BoardTableProps<R extends BoardRow> {
  board: Ranking<R>
  rows: R[]
  order: Order
  retrain: string
  /** What a cell is the mean of. */
  each?: string
  /** What stands under the name of a row. */
  about?: (row: R) => Child
}

export const BoardTable = <R extends BoardRow>({
  board,
  rows,
  order,
  retrain,
  each = 'mean over seeds',
  about = (row) => <Runs row={row} />,
}: BoardTableProps<R>) => {
  const byGap = board.ordering.by === 'avg-gap'
  const ranked = board.rows.filter(({ rank }) => rank !== null).length
  const classes = [...new Set([...board.references, ...board.rows].flatMap(({ deviceClass }) => deviceClass ?? []))]
  return (
    <>
      <p class="small muted">
        Each cell: {each}, ± one standard deviation, then the signed gap to retrain of the same seed
        {classes.length > 0 && `; times on ${classes.join(' and ')}`}. Click a column's title to sort by it.
      </p>
      <Scroll labelledBy="board-caption">
        <table class="board">
          <caption id="board-caption" class="visually-hidden">
            Ranking (column headers with buttons are sortable)
          </caption>
          <thead>
            <tr>
              <SortHead order={order} id="method" text="Method" unit={['and its seeds']} numeric={false} />
              {byGap ? (
                <>
                  <SortHead order={order} id="rank" text="Rank" unit={['range by Avg. Gap']} />
                  <SortHead
                    order={order}
                    id="gap"
                    text="Avg. Gap"
                    unit={['points, mean over seeds;', 'gap of means below']}
                  />
                </>
              ) : (
                <SortHead order={order} id="rank" text="Place" unit={['by the rule below']} />
              )}
              {board.columns.filter(leads).map((column) => (
                <MetricHead order={order} column={column} byGap={byGap} />
              ))}
              <SortHead order={order} id="time" text="RTE" unit={['smaller is better']} />
              {board.columns.filter(follows).map((column) => (
                <MetricHead order={order} column={column} byGap={byGap} />
              ))}
            </tr>
          </thead>
          {board.references.length > 0 && (
            <tbody>
              {board.references.map((row) => (
                <Row row={row} board={board} ranked={null} isRetrain={row.method === retrain} about={about(row)} />
              ))}
            </tbody>
          )}
          <tbody>
            {rows.map((row) => (
              <Row row={row} board={board} ranked={ranked} isRetrain={false} about={about(row)} />
            ))}
          </tbody>
        </table>
      </Scroll>
      <Cautions board={board} />
    </>
  )
}
