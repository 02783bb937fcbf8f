/** A runner keeps its lease and reports progress. */
import { path, request, response } from '../../../schema/protocol/renew.ts'
import { withJobToken } from '../../access/job-token.ts'
import { settingsOf } from '../../bindings/env.ts'
import { publish } from '../../durable/live-client.ts'
import { byKey } from '../../http/params.ts'
import { apiRoute, bearer, body, json, type Route } from '../../http/route.ts'
import { renewLease } from '../../queries/jobs/renew.ts'
import { liveEvent } from '../../views/live-event.tsx'

const route = apiRoute({
  method: 'post',
  path,
  tags: ['Agent protocol'],
  summary: 'Renew a lease',
  security: bearer,
  middleware: [withJobToken] as const,
  request: { params: byKey, ...body(request) },
  responses: { 200: json(response, 'The next fencing token') },
})

export const apiRenew: Route = (app) =>
  app.openapi(route, async (c) => {
    const { key } = c.req.valid('param')
    const request = c.req.valid('json')
    const context = { settings: settingsOf(c.env), now: Date.now() }
    const renewed = await renewLease(c.get('db'), key, { token: c.get('jobToken'), ...request }, context)
    await publish(c.env, key, liveEvent(key, { progress: request.progress }))
    return c.json(renewed, 200)
  })
