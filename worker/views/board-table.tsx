/** The board as a table: references first, then rows. Every cell has the same three lines: mean, spread, gap to retrain. */
import type { Board, BoardRow, Cell, Column } from '../../schema/api/board.ts'
import type { Order } from './board-sort.ts'
import { decimal, NOT_MEASURED, plusMinus, rankRange, seconds, signed, significant, times } from './numbers.ts'
import { Params } from './params.tsx'
import { Scroll } from './scroll.tsx'
import { progressWords, wordOf } from './state.tsx'

/** Fewer seeds than this are marked, not hidden. */
export const PROVISIONAL_BELOW = 10

export const FORM = 'order'

interface HeadProps {
  order: Order
  id: string
  text: string
  unit: string
  numeric?: boolean
}

/** A header that sorts: a real button of a GET form. */
const SortHead = ({ order, id, text, unit, numeric = true }: HeadProps) => {
  const active = order.key === id
  const next = active && !order.descending ? `-${id}` : id
  return (
    <th
      scope="col"
      class={numeric ? 'num' : undefined}
      {...(active && { 'aria-sort': order.descending ? 'descending' : 'ascending' })}
    >
      <button class="sort" type="submit" form={FORM} name="sort" value={next}>
        {text}
        {active && <Arrow down={order.descending} />}
      </button>
      <span class="unit">{unit}</span>
    </th>
  )
}

const Arrow = ({ down }: { down: boolean }) => (
  <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true" style="margin-left:.35em">
    <path d={down ? 'M1 3h8L5 8z' : 'M1 7h8L5 2z'} fill="currentColor" />
  </svg>
)

const gapClass = (gap: number) => (gap < 0 ? 'below' : gap > 0 ? 'above' : undefined)

const MetricCell = ({ cell, isRetrain }: { cell: Cell | undefined; isRetrain: boolean }) => {
  if (!cell) return <td class="num muted">{NOT_MEASURED}</td>
  const { mean, sd, gap } = cell
  return (
    <td class="num">
      <span class="mean">{decimal(mean)}</span>
      <span class="sd">{plusMinus(sd)}</span>
      {isRetrain ? (
        <span class="sd">reference</span>
      ) : gap === null ? (
        <span class="sd">no retrain yet</span>
      ) : (
        <span class={gapClass(gap)}>{signed(gap)}</span>
      )}
    </td>
  )
}

const GapCell = ({ row: { avgGap }, isRetrain }: { row: BoardRow; isRetrain: boolean }) => {
  if (isRetrain) return <td class="num muted">the reference</td>
  if (!avgGap) return <td class="num muted">{NOT_MEASURED}</td>
  return (
    <td class="num">
      <span class="mean">{decimal(avgGap.mean)}</span>
      <span class="sd">{plusMinus(avgGap.sd)}</span>
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

const MethodCell = ({ row }: { row: BoardRow }) => {
  const progress = progressWords(row.runs)
  return (
    <th scope="row">
      <a href={`/methods/${row.method}`}>{row.title}</a>
      {row.label && <> {row.label}</>}
      <br />
      <Seeds row={row} />
      {progress && <div class="small muted">{progress}</div>}
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
      {avgGap.n < PROVISIONAL_BELOW && <span class="sd">provisional, n={avgGap.n}</span>}
    </td>
  )
}

const Row = ({
  row,
  columns,
  ranked,
  isRetrain,
}: {
  row: BoardRow
  columns: Column[]
  ranked: number | null
  isRetrain: boolean
}) => (
  <tr class={ranked === null ? 'reference' : undefined}>
    <MethodCell row={row} />
    {ranked === null ? (
      <td class="num">
        <span class="muted">outside the ranking</span>
        <span class="sd">n={row.runs.filter(({ state }) => state === 'done').length}</span>
      </td>
    ) : (
      <RankCell row={row} ranked={ranked} />
    )}
    <GapCell row={row} isRetrain={isRetrain} />
    {columns.map(({ id }) => (
      <MetricCell cell={row.metrics[id]} isRetrain={isRetrain} />
    ))}
    <TimeCell row={row} isRetrain={isRetrain} />
  </tr>
)

export const BoardTable = ({
  board,
  rows,
  order,
  retrain,
}: {
  board: Board
  rows: BoardRow[]
  order: Order
  retrain: string
}) => {
  const ranked = board.rows.filter(({ rank }) => rank !== null).length
  const classes = [...new Set([...board.references, ...board.rows].flatMap(({ deviceClass }) => deviceClass ?? []))]
  return (
    <>
      <p class="small muted">
        Each cell: mean over seeds, ± one standard deviation, then the signed gap to retrain of the same seed
        {classes.length > 0 && `; times on ${classes.join(' and ')}`}. Click a column's title to sort by it.
      </p>
      <Scroll labelledBy="board-caption">
        <table class="board">
          <caption id="board-caption" class="visually-hidden">
            Ranking (column headers with buttons are sortable)
          </caption>
          <thead>
            <tr>
              <SortHead order={order} id="method" text="Method" unit="and its seeds" numeric={false} />
              <SortHead order={order} id="rank" text="Rank" unit="range by Avg. Gap" />
              <SortHead order={order} id="gap" text="Avg. Gap" unit="points, smaller is better" />
              {board.columns.map(({ id, title, unit, better }) => (
                <SortHead
                  order={order}
                  id={id}
                  text={title}
                  unit={better === 'closer-to-retrain' ? `${unit}, sorts by |gap|` : `${unit}, ${better} is better`}
                />
              ))}
              <SortHead order={order} id="time" text="RTE" unit="smaller is better" />
            </tr>
          </thead>
          {board.references.length > 0 && (
            <tbody>
              {board.references.map((row) => (
                <Row row={row} columns={board.columns} ranked={null} isRetrain={row.method === retrain} />
              ))}
            </tbody>
          )}
          <tbody>
            {rows.map((row) => (
              <Row row={row} columns={board.columns} ranked={ranked} isRetrain={false} />
            ))}
          </tbody>
        </table>
      </Scroll>
    </>
  )
}
