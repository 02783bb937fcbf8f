/** The board of a suite as CSV: each row on average, then on each class, unrounded. */
import type { SuiteBoard, SuiteRow } from '../../../schema/api/suite.ts'
import { keepingOf } from '../../bindings/env.ts'
import { avgGap, place, rank, settings, uncounted, values } from '../../http/board-columns.ts'
import { suiteOf } from '../../http/catalogue.ts'
import { type CsvColumn, csvAnswer } from '../../http/csv.ts'
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

/** A row on average, or on one of its classes. */
type Line = SuiteRow & { name: string | number; classes: number }

const columnsOf = ({ columns }: SuiteBoard): CsvColumn<Line>[] => [
  ...rank,
  place,
  ...settings,
  ['class', ({ name }) => name],
  ['classes', ({ classes }) => classes],
  ...values(columns),
  ...avgGap,
  ...uncounted,
]

const linesOf = ({ suite, references, rows }: SuiteBoard): Line[] =>
  [...references, ...rows].flatMap((row) => [
    { ...row, name: 'average', classes: row.averaged.length },
    ...suite.classes.flatMap(({ benchmark, label }) =>
      row.byClass[benchmark] ? [{ ...row, ...row.byClass[benchmark], name: label, classes: 1 }] : [],
    ),
  ])

export const apiSuiteBoardCsv: Route = (app) =>
  app.openapi(route, async (c) => {
    const { slug } = c.req.valid('param')
    const board = await getSuiteBoard(keepingOf(c), suiteOf(slug))
    return csvAnswer(c, slug, columnsOf(board), linesOf(board))
  })
