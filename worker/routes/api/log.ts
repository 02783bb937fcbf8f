/** A runner appends to the log of its delivery. */
import { path, request, response } from '../../../schema/protocol/log.ts'
import { withJobToken } from '../../access/job-token.ts'
import { publish } from '../../durable/live-client.ts'
import { byKey } from '../../http/params.ts'
import { apiRoute, bearer, body, json, type Route } from '../../http/route.ts'
import { appendLog } from '../../queries/logs/logs.ts'
import { claimOf } from '../../queries/parts/held.ts'
import { liveEvent } from '../../views/live-event.tsx'

const route = apiRoute({
  method: 'post',
  path,
  tags: ['Agent protocol'],
  summary: 'Append to a log',
  security: bearer,
  middleware: [withJobToken] as const,
  request: { params: byKey, ...body(request) },
  responses: { 200: json(response, 'What the next chunk must carry') },
})

export const apiLog: Route = (app) =>
  app.openapi(route, async (c) => {
    const { key } = c.req.valid('param')
    const chunk = c.req.valid('json')
    const claim = await claimOf(key, c.get('jobToken'), Date.now())
    const { next, start } = await appendLog(c.get('db'), c.env.STORE, claim, chunk)
    const log = start && { ...start, text: chunk.text }
    await publish(c.env, key, liveEvent(key, { progress: chunk.progress ?? null, log }))
    return c.json(next, 200)
  })
