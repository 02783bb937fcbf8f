/** The ranking of a suite. */
import { suiteBoard } from '../../../schema/api/suite.ts'
import { keepingOf } from '../../bindings/env.ts'
import { suiteOf } from '../../http/catalogue.ts'
import { bySlug } from '../../http/params.ts'
import { apiRoute, json, type Route } from '../../http/route.ts'
import { getSuiteBoard } from '../../queries/boards/kept.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/suites/:slug/board',
  tags: ['Suites'],
  summary: 'Read the board of a suite',
  request: { params: bySlug },
  responses: { 200: json(suiteBoard, 'Averages over the classes, and each class') },
})

export const apiSuiteBoard: Route = (app) =>
  app.openapi(route, async (c) => c.json(await getSuiteBoard(keepingOf(c), suiteOf(c.req.valid('param').slug)), 200))
