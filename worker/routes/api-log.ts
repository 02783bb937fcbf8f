/** A runner appends to the log of its job. */
import { path, request, response } from '../../schema/protocol/log.ts'
import { allow } from '../auth.ts'
import { byKey } from '../params.ts'
import { appendLog } from '../queries/logs.ts'
import { apiRoute, bearer, body, json, type Route } from '../route.ts'

const route = apiRoute({
  method: 'post',
  path,
  tags: ['Agent protocol'],
  summary: 'Append to a log',
  security: bearer,
  middleware: [allow('runner')] as const,
  request: { params: byKey, ...body(request) },
  responses: { 200: json(response, 'The new length') },
})

export const apiLog: Route = (app) =>
  app.openapi(route, async (c) => {
    const { key } = c.req.valid('param')
    const offset = await appendLog(c.get('db'), c.env.STORE, key, c.req.valid('json'))
    return c.json({ offset }, 200)
  })
