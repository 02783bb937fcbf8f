/** The board as a table: references first, then rows. Every cell has the same three lines: mean, spread, gap to retrain. */
import type { Board, BoardRow, Cell, Column } from '../../schema/api/board.ts'
import { differenceFrom, isSmall } from '../identities.ts'
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
  /** Begins with the largest. */
  largestFirst?: boolean
}

/** A header that sorts: a real button of a GET form. */
const SortHead = ({ order, id, text, unit, numeric = true, largestFirst = false }: HeadProps) => {
  const active = order.key === id
  const descends = active ? !order.descending : largestFirst
  const next = descends ? `-${id}` : id
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

interface MetricCellProps {
  cell: Cell | undefined
  isRetrain: boolean
  /** What sets its measure apart from the column's. */
  differences: string[]
}

const MetricCell = ({ cell, isRetrain, differences }: MetricCellProps) => {
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
      {differences.length > 0 && <span class="sd">measured otherwise</span>}
    </td>
  )
}

/** What sets the values of a cell apart from most of its column. */
const differencesOf = ({ identities }: BoardRow, { id, measured }: Column) => [
  ...new Set((identities[id] ?? []).flatMap((identity) => differenceFrom(measured[0] ?? identity, identity))),
]

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
      {avgGap.n < PROVISIONAL_BELOW && <span class="sd">provisional, n={avgGap.n}</span>}
    </td>
  )
}

const Row = ({
  row,
  board: { columns, ordering },
  ranked,
  isRetrain,
}: {
  row: BoardRow
  board: Board
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
    ) : ordering.by === 'avg-gap' ? (
      <RankCell row={row} ranked={ranked} />
    ) : (
      <StandingCell row={row} columns={columns} />
    )}
    {ordering.by === 'avg-gap' && <GapCell row={row} isRetrain={isRetrain} />}
    {columns.map((column) => (
      <MetricCell cell={row.metrics[column.id]} isRetrain={isRetrain} differences={differencesOf(row, column)} />
    ))}
    <TimeCell row={row} isRetrain={isRetrain} />
  </tr>
)

/** What must be known to read a column: too few images, and values that were not measured alike. */
const Cautions = ({ board: { columns, references, rows } }: { board: Board }) => {
  const small = columns.filter(({ measured }) => measured.some(isSmall))
  const mixed = columns.flatMap((column) =>
    [...references, ...rows].flatMap((row) => {
      const differences = differencesOf(row, column)
      const name = row.label ? `${row.title} ${row.label}` : row.title
      return differences.length > 0 ? [`${column.title} of ${name} (${differences.join('; ')})`] : []
    }),
  )
  return (
    <>
      {small.length > 0 && (
        <p class="small">
          {small.map(({ title }) => title).join(' and ')}: there are no more images than the features have dimensions.
          Such figures are biased upwards and comparable only at the same numbers of images.
        </p>
      )}
      {mixed.length > 0 && <p class="small">Not measured like the rest of their column: {mixed.join(', ')}.</p>}
    </>
  )
}

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
  const byGap = board.ordering.by === 'avg-gap'
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
              {byGap ? (
                <>
                  <SortHead order={order} id="rank" text="Rank" unit="range by Avg. Gap" />
                  <SortHead order={order} id="gap" text="Avg. Gap" unit="points, smaller is better" />
                </>
              ) : (
                <SortHead order={order} id="rank" text="Place" unit="by the rule below" />
              )}
              {board.columns.map(({ id, title, unit, better }) => (
                <SortHead
                  order={order}
                  id={id}
                  text={title}
                  unit={[unit, better === 'closer-to-retrain' ? 'sorts by |gap|' : `${better} is better`]
                    .filter(Boolean)
                    .join(', ')}
                  largestFirst={better === 'larger'}
                />
              ))}
              <SortHead order={order} id="time" text="RTE" unit="smaller is better" />
            </tr>
          </thead>
          {board.references.length > 0 && (
            <tbody>
              {board.references.map((row) => (
                <Row row={row} board={board} ranked={null} isRetrain={row.method === retrain} />
              ))}
            </tbody>
          )}
          <tbody>
            {rows.map((row) => (
              <Row row={row} board={board} ranked={ranked} isRetrain={false} />
            ))}
          </tbody>
        </table>
      </Scroll>
      <Cautions board={board} />
    </>
  )
}
