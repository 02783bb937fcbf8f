/** A board as CSV: one line a row, unrounded. */
import type { Board, BoardRow } from '../../../schema/api/board.ts'
import { canonicalJson } from '../../../schema/parts/hash.ts'
import { keepingOf } from '../../bindings/env.ts'
import { benchmarkOf } from '../../http/catalogue.ts'
import { csvOf } from '../../http/csv.ts'
import { bySlug } from '../../http/params.ts'
import { apiRoute, type Route } from '../../http/route.ts'
import { getBoard } from '../../queries/boards/kept.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/benchmarks/:slug/board.csv',
  tags: ['Benchmarks'],
  summary: 'Read a board as CSV',
  request: { params: bySlug },
  responses: { 200: { description: 'One line a row', content: { 'text/csv': { schema: { type: 'string' } } } } },
})

function linesOf({ columns, references, rows }: Board) {
  const names = columns.flatMap(({ identity }) => ['mean', 'sd', 'n', 'gap'].map((part) => `${identity} ${part}`))
  const head = ['rank low', 'rank high', 'method', 'version', 'label', 'author', 'params', ...names]
  const tail = [
    'avg gap mean',
    'avg gap sd',
    'avg gap n',
    'seconds mean',
    'seconds sd',
    'times retrain',
    'device class',
    'place',
  ]
  const lineOf = (row: BoardRow) => [
    row.rank?.low,
    row.rank?.high,
    row.method,
    row.methodVersion,
    row.label,
    row.author,
    canonicalJson(row.params),
    ...columns.flatMap(({ id }) => {
      const cell = row.metrics[id]
      return [cell?.mean, cell?.sd, cell?.n, cell?.gap]
    }),
    row.avgGap?.mean,
    row.avgGap?.sd,
    row.avgGap?.n,
    row.seconds?.mean,
    row.seconds?.sd,
    row.fractionOfRetrain?.mean,
    row.deviceClass,
    row.standing?.place,
  ]
  return [[...head, ...tail], ...[...references, ...rows].map(lineOf)]
}

export const apiBoardCsv: Route = (app) =>
  app.openapi(route, async (c) => {
    const { slug } = c.req.valid('param')
    const csv = csvOf(linesOf(await getBoard(keepingOf(c), benchmarkOf(slug))))
    return c.body(csv, 200, {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="${slug}.csv"`,
    })
  })
