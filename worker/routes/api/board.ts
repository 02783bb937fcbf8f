/** The ranking of one benchmark. */
import { board } from '../../../schema/api/board.ts'
import { underRuleset } from '../../../schema/api/rulesets.ts'
import { keepingOf } from '../../bindings/env.ts'
import { benchmarkOf } from '../../http/catalogue.ts'
import { bySlug } from '../../http/params.ts'
import { apiRoute, json, type Route } from '../../http/route.ts'
import { getBoard } from '../../queries/boards/kept.ts'
import { underRules } from '../../queries/boards/rules.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/benchmarks/:slug/board',
  tags: ['Benchmarks'],
  summary: 'Read a board',
  request: { params: bySlug, query: underRuleset },
  responses: { 200: json(board, 'References first, then rows by Avg. Gap') },
})

export const apiBoard: Route = (app) =>
  app.openapi(route, async (c) => {
    const board = await getBoard(keepingOf(c), benchmarkOf(c.req.valid('param').slug))
    return c.json(underRules(board, c.req.valid('query').rules), 200)
  })
