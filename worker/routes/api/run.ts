/** One run in full. */

import { run } from '../../../schema/api/run.ts'
import { viewerOf } from '../../access/people.ts'
import { byId } from '../../http/params.ts'
import { apiRoute, json, type Route } from '../../http/route.ts'
import { getRun } from '../../queries/runs/runs.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/runs/:id',
  tags: ['Runs'],
  summary: 'Read a run',
  request: { params: byId },
  responses: { 200: json(run, 'Spec, stages, metrics and gaps') },
})

export const apiRun: Route = (app) =>
  app.openapi(route, async (c) => c.json(await getRun(c.get('db'), c.req.valid('param').id, await viewerOf(c)), 200))
