/** An admin revokes a runner: it is refused from now on, what it was working on goes back to the queue, and its results count no
 *  more. */
import { revokeRunner as query, runner } from '../../../schema/api/runner.ts'
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
  description: 'Its results are set aside and their stages computed anew by others, unless they are to be kept.',
  request: { params: byId, query },
  responses: { 200: json(runner, 'The runner as it is now') },
})

export const apiRunnerRevoke: Route = (app) =>
  app.openapi(route, async (c) => {
    const { results, reason } = c.req.valid('query')
    const { runner: revoked, changed } = await revokeRunner(c.get('db'), c.req.valid('param').id, {
      reason: results === 'keep' ? null : reason,
      now: Date.now(),
    })
    await Promise.all([
      ...changed.map((key) => publish(c.env, key, { changed: true })),
      wake(c.env),
      tellRunner(c.env, revoked.id),
    ])
    return c.json(revoked, 200)
  })
