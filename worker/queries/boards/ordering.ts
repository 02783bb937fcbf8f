/** What orders the rows of a board. Page, API and export all read this.
 *
 *  Where metrics are better the closer they are to retrain, Avg. Gap orders. Metrics that have directions and units of their own
 *  have no meaningful mean of gaps, and no one of them will do: a model that draws noise has the best UA, one that forgot nothing
 *  the best Fréchet distance. So a row is as good as the worst of its places in those that order; a row that is better in all of
 *  them than another then stands before it. Places are of means over seeds and no test is made, hence no range of ranks. */
import type { BoardRow, Column, Ordering } from '../../../schema/api/board.ts'
import type { Benchmark } from '../../../schema/benchmark.ts'
import { seedingWords } from '../../../schema/parts/seeding.ts'
import { taskNamed } from '../../../schema/task.ts'
import { metricsOf } from '../../http/catalogue.ts'

type Named = Pick<Column, 'id' | 'title' | 'better'>

export function orderingOf({ task, seeding }: Benchmark, columns: Named[]): Ordering {
  const by = taskNamed(task.id).ordering
  const clusters = seedingWords({ seeding })
  const shared = clusters !== null && { clusters }
  if (by === 'avg-gap')
    return {
      by,
      columns: [],
      words:
        'Rows are ordered by Avg. Gap, the smallest first: the mean over seeds of the gap of each. The gap of means, as papers’ tables have it, orders nothing.',
      ...shared,
    }
  const leading = columns.filter(({ id }) => metricsOf(task.id).get(id)?.orders)
  const titles = leading.map(({ title, better }) => `${title} (${better} is better)`)
  const words =
    leading.length > 0
      ? `Rows are ordered by the worst of their places by ${titles.join(' and ')}, then by the sum of these places; rows that are equal in both share a place.`
      : 'Rows stand in the order of their submission: no metric here orders them.'
  return { by, columns: leading.map(({ id }) => id), words, ...shared }
}

/** The rows in order of their worst place, then of the sum of their places; equal ones in order of the first column; then rows that
 *  were not measured yet, in order of submission. */
export function placed<Row extends BoardRow>(rows: Row[], columns: Named[]): Row[] {
  const complete = columns.length > 0 ? rows.filter(({ metrics }) => columns.every(({ id }) => metrics[id])) : []
  const goodness = (row: Row, { id, better }: Named) => row.metrics[id]!.mean * (better === 'larger' ? 1 : -1)
  const placeIn = (row: Row, column: Named) =>
    1 + complete.filter((other) => goodness(other, column) > goodness(row, column)).length
  const judged = complete.map((row) => {
    const places = columns.map((column) => placeIn(row, column))
    return { row, places, sum: places.reduce((a, b) => a + b, 0), worst: Math.max(...places) }
  })
  type Judged = (typeof judged)[number]
  const compare = (a: Judged, b: Judged) => a.worst - b.worst || a.sum - b.sum
  judged.sort((a, b) => compare(a, b) || a.places[0]! - b.places[0]!)
  const standing = judged.map((own) => ({
    ...own.row,
    standing: {
      place: 1 + judged.filter((other) => compare(other, own) < 0).length,
      places: Object.fromEntries(columns.map(({ id }, i) => [id, own.places[i]!])),
    },
  }))
  return [...standing, ...rows.filter((row) => !complete.includes(row))]
}
