/** Headers of a board's table, which sort it. */
import type { Column } from '../../schema/api/board.ts'
import type { Order } from './board-sort.ts'

/** The form that they are buttons of. */
export const FORM = 'order'

interface HeadProps {
  order: Order
  id: string
  text: string
  /** A line each. */
  unit: string[]
  numeric?: boolean
  /** Begins with the largest. */
  largestFirst?: boolean
}

/** A header that sorts: a real button of a GET form. */
export const SortHead = ({ order, id, text, unit, numeric = true, largestFirst = false }: HeadProps) => {
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
      {unit.map((line) => (
        <span class="unit">{line}</span>
      ))}
    </th>
  )
}

export const MetricHead = ({ order, column, byGap }: { order: Order; column: Column; byGap: boolean }) => {
  const { id, title, unit, better, inAvgGap } = column
  const sorts = better === 'closer-to-retrain' ? 'sorts by |gap|' : `${better} is better`
  return (
    <SortHead
      order={order}
      id={id}
      text={title}
      unit={[[unit, sorts].filter(Boolean).join(', '), ...(byGap && !inAvgGap ? ['not in Avg. Gap'] : [])]}
      largestFirst={better === 'larger'}
    />
  )
}

const Arrow = ({ down }: { down: boolean }) => (
  <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true" style="margin-left:.35em">
    <path d={down ? 'M1 3h8L5 8z' : 'M1 7h8L5 2z'} fill="currentColor" />
  </svg>
)
