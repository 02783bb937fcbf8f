/** A run as it goes on: a socket that tells of each change to its stages. */
import { viewerOf } from '../../access/people.ts'
import { watch } from '../../durable/live-client.ts'
import { byId } from '../../http/params.ts'
import { apiRoute, type Route } from '../../http/route.ts'
import { requireUpgrade, upgradeHeaders } from '../../http/socket.ts'
import { jobsOfRun } from '../../queries/runs/runs.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/runs/:id/live',
  tags: ['Runs'],
  summary: 'Follow a run',
  description:
    'A WebSocket. Each message is JSON: the `key` of a stage, and what is new of it: `progress` and `log` as the page of the run shows them, or `changed`, after which the run should be read again. `ping` is answered with `pong`.',
  request: { params: byId, headers: upgradeHeaders },
  responses: { 101: { description: 'Follows' } },
})

export const apiRunLive: Route = (app) =>
  app.openapi(route, async (c) => {
    requireUpgrade(c)
    const { id } = c.req.valid('param')
    return watch(c.env, await jobsOfRun(c.get('db'), id, await viewerOf(c)))
  })
