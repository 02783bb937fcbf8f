/** A runner appends to the log of its job. */
import { path, request, response } from '../../schema/protocol/log.ts'
import { allow } from '../auth.ts'
import { publish } from '../live.tsx'
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
    const chunk = c.req.valid('json')
    const { offset, place } = await appendLog(c.get('db'), c.env.STORE, key, chunk)
    await publish(c.env, key, { log: place && { ...place, text: chunk.text } })
    return c.json({ offset }, 200)
  })
