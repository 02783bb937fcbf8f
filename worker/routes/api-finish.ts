/** A runner ends a job with its result. */
import { path, request, response } from '../../schema/protocol/finish.ts'
import { allow } from '../auth.ts'
import { publish } from '../live.tsx'
import { byKey } from '../params.ts'
import { finishJob } from '../queries/leases.ts'
import { apiRoute, bearer, body, json, type Route } from '../route.ts'

const route = apiRoute({
  method: 'post',
  path,
  tags: ['Agent protocol'],
  summary: 'Finish a job',
  security: bearer,
  middleware: [allow('runner')] as const,
  request: { params: byKey, ...body(request) },
  responses: { 200: json(response, 'Stored') },
})

export const apiFinish: Route = (app) =>
  app.openapi(route, async (c) => {
    const { key } = c.req.valid('param')
    const { token, result } = c.req.valid('json')
    await finishJob(c.get('db'), key, token, result)
    await publish(c.env, key, { changed: true })
    return c.json({ state: 'done' as const }, 200)
  })
