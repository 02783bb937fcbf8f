/** The board of a suite as CSV: each row on average, then on each class, unrounded. */
import type { SuiteBoard } from '../../../schema/api/suite.ts'
import { canonicalJson } from '../../../schema/parts/hash.ts'
import { keepingOf } from '../../bindings/env.ts'
import { suiteOf } from '../../http/catalogue.ts'
import { csvOf } from '../../http/csv.ts'
import { bySlug } from '../../http/params.ts'
import { apiRoute, type Route } from '../../http/route.ts'
import { getSuiteBoard } from '../../queries/boards/kept.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/suites/:slug/board.csv',
  tags: ['Suites'],
  summary: 'Read the board of a suite as CSV',
  request: { params: bySlug },
  responses: {
    200: {
      description: 'A line for the average of each row, then one for each of its classes',
      content: { 'text/csv': { schema: { type: 'string' } } },
    },
  },
})

function linesOf({ suite, columns, references, rows }: SuiteBoard): (string | number | null | undefined)[][] {
  const parts = ['mean', 'sd', 'n', 'gap'] as const
  const names = columns.flatMap(({ identity }) => parts.map((part) => `${identity} ${part}`))
  const head = ['rank low', 'rank high', 'place', 'method', 'version', 'label', 'author', 'params', 'class', 'classes']
  const tail = ['avg gap mean', 'avg gap sd', 'avg gap n']
  const lines = [...references, ...rows].flatMap((row) => {
    const { rank, standing, method, methodVersion, label, author, params, averaged, byClass } = row
    const own = [rank?.low, rank?.high, standing?.place, method, methodVersion, label, author, canonicalJson(params)]
    const measured = suite.classes.flatMap(({ benchmark, label: name }) =>
      byClass[benchmark] ? [{ name, classes: 1, ...byClass[benchmark] }] : [],
    )
    return [{ name: 'average', classes: averaged.length, ...row }, ...measured].map(
      ({ name, classes, metrics, avgGap }) => [
        ...own,
        name,
        classes,
        ...columns.flatMap(({ id }) => parts.map((part) => metrics[id]?.[part])),
        avgGap?.mean,
        avgGap?.sd,
        avgGap?.n,
      ],
    )
  })
  return [[...head, ...names, ...tail], ...lines]
}

export const apiSuiteBoardCsv: Route = (app) =>
  app.openapi(route, async (c) => {
    const { slug } = c.req.valid('param')
    const csv = csvOf(linesOf(await getSuiteBoard(keepingOf(c), suiteOf(slug))))
    return c.body(csv, 200, {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="${slug}.csv"`,
    })
  })
