/** A runner keeps its lease and reports progress. */
import { path, request, response } from '../../schema/protocol/renew.ts'
import { settingsOf } from '../env.ts'
import { withJobToken } from '../job-token.ts'
import { publish } from '../live.tsx'
import { byKey } from '../params.ts'
import { renewLease } from '../queries/renew.ts'
import { apiRoute, bearer, body, json, type Route } from '../route.ts'

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
    await publish(c.env, key, { progress: request.progress })
    return c.json(renewed, 200)
  })
