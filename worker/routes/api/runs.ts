/** Runs, newest first. */

import { listQuery, PAGING } from '../../../schema/api/page.ts'
import { runList } from '../../../schema/api/run.ts'
import { runState } from '../../../schema/api/submission.ts'
import { viewerOf } from '../../access/people.ts'
import { apiRoute, json, type Route } from '../../http/route.ts'
import { listRuns } from '../../queries/runs/runs.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/runs',
  tags: ['Runs'],
  summary: 'List runs',
  description: PAGING,
  request: { query: listQuery.extend({ state: runState.optional() }) },
  responses: { 200: json(runList, 'Newest first') },
})

export const apiRuns: Route = (app) =>
  app.openapi(route, async (c) => c.json(await listRuns(c.get('db'), c.req.valid('query'), await viewerOf(c)), 200))
