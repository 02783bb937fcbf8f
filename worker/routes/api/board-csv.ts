/** A board as CSV: one line a row, unrounded. */
import type { Board, BoardRow } from '../../../schema/api/board.ts'
import { underRuleset } from '../../../schema/api/rulesets.ts'
import { keepingOf } from '../../bindings/env.ts'
import { avgGap, place, rank, settings, uncounted, values } from '../../http/board-columns.ts'
import { benchmarkOf } from '../../http/catalogue.ts'
import { type CsvColumn, csvAnswer } from '../../http/csv.ts'
import { bySlug } from '../../http/params.ts'
import { apiRoute, type Route } from '../../http/route.ts'
import { getBoard } from '../../queries/boards/kept.ts'
import { underRules } from '../../queries/boards/rules.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/benchmarks/:slug/board.csv',
  tags: ['Benchmarks'],
  summary: 'Read a board as CSV',
  request: { params: bySlug, query: underRuleset },
  responses: { 200: { description: 'One line a row', content: { 'text/csv': { schema: { type: 'string' } } } } },
})

const columnsOf = ({ columns }: Board): CsvColumn<BoardRow>[] => [
  ...rank,
  ...settings,
  ...values(columns),
  ...avgGap,
  ['seconds mean', ({ seconds }) => seconds?.mean],
  ['seconds sd', ({ seconds }) => seconds?.sd],
  ['times retrain', ({ fractionOfRetrain }) => fractionOfRetrain?.mean],
  ['device class', ({ deviceClass }) => deviceClass],
  ...uncounted,
  place,
]

export const apiBoardCsv: Route = (app) =>
  app.openapi(route, async (c) => {
    const { slug } = c.req.valid('param')
    const board = underRules(await getBoard(keepingOf(c), benchmarkOf(slug)), c.req.valid('query').rules)
    return csvAnswer(c, slug, columnsOf(board), [...board.references, ...board.rows])
  })
