/** An admin names, labels, pauses, drains or resumes a runner. */
import { changeRunner as request, runner } from '../../../schema/api/runner.ts'
import { allow } from '../../access/people.ts'
import { tellRunner } from '../../durable/dispatcher-client.ts'
import { byId } from '../../http/params.ts'
import { apiRoute, bearer, body, json, type Route } from '../../http/route.ts'
import { changeRunner } from '../../queries/people/manage-runners.ts'

const route = apiRoute({
  method: 'patch',
  path: '/api/v1/runners/:id',
  tags: ['Runners'],
  summary: 'Change a runner',
  security: bearer,
  middleware: [allow('admin')] as const,
  request: { params: byId, ...body(request) },
  responses: { 200: json(runner, 'The runner as it is now') },
})

export const apiRunnerChange: Route = (app) =>
  app.openapi(route, async (c) => {
    const changed = await changeRunner(c.get('db'), c.req.valid('param').id, c.req.valid('json'), Date.now())
    // It asks, and learns of it.
    await tellRunner(c.env, changed.id)
    return c.json(changed, 200)
  })
