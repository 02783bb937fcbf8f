/** An admin revokes a runner: it is refused from now on, and what it was working on goes back to the queue. */
import { runner } from '../../../schema/api/runner.ts'
import { allow } from '../../access/people.ts'
import { tellRunner, wake } from '../../durable/dispatcher-client.ts'
import { publish } from '../../durable/live-client.ts'
import { byId } from '../../http/params.ts'
import { apiRoute, bearer, json, type Route } from '../../http/route.ts'
import { revokeRunner } from '../../queries/people/manage-runners.ts'

const route = apiRoute({
  method: 'delete',
  path: '/api/v1/runners/:id',
  tags: ['Runners'],
  summary: 'Revoke a runner',
  security: bearer,
  middleware: [allow('admin')] as const,
  request: { params: byId },
  responses: { 200: json(runner, 'The runner as it is now') },
})

export const apiRunnerRevoke: Route = (app) =>
  app.openapi(route, async (c) => {
    const { runner: revoked, ended } = await revokeRunner(c.get('db'), c.req.valid('param').id, Date.now())
    await Promise.all([
      ...ended.map((key) => publish(c.env, key, { changed: true })),
      wake(c.env),
      tellRunner(c.env, revoked.id),
    ])
    return c.json(revoked, 200)
  })
