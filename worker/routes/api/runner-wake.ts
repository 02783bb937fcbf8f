/** An idle runner waits for work. */
import { path } from '../../../schema/protocol/wake.ts'
import { asRunner } from '../../access/runners.ts'
import { waitAt } from '../../durable/dispatcher-client.ts'
import { apiRoute, bearer, type Route } from '../../http/route.ts'
import { requireUpgrade, upgradeHeaders } from '../../http/socket.ts'

const route = apiRoute({
  method: 'get',
  path,
  tags: ['Agent protocol'],
  summary: 'Wait for work',
  description:
    'A WebSocket for a runner that has no job. The server says `welcome` with its intervals, and `wake` when there is work to lease; `ping` is answered with `pong`. Runners that cannot hold a socket ask again after `retryAfterMs`.',
  security: bearer,
  middleware: [asRunner] as const,
  request: { headers: upgradeHeaders },
  responses: { 101: { description: 'Waits' } },
})

export const apiRunnerWake: Route = (app) =>
  app.openapi(route, async (c) => {
    requireUpgrade(c)
    return waitAt(c.env, c.get('runner').id)
  })
