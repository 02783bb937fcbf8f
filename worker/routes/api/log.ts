/** A runner appends to the log of its delivery. */
import { path, request, response } from '../../../schema/protocol/log.ts'
import { publish } from '../../durable/live-client.tsx'
import { withJobToken } from '../../http/job-token.ts'
import { byKey } from '../../http/params.ts'
import { apiRoute, bearer, body, json, type Route } from '../../http/route.ts'
import { claimOf } from '../../queries/jobs/held.ts'
import { appendLog } from '../../queries/logs/logs.ts'

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
    const { next, place } = await appendLog(c.get('db'), c.env.STORE, claim, chunk)
    await publish(c.env, key, { log: place && { ...place, text: chunk.text }, progress: chunk.progress ?? null })
    return c.json(next, 200)
  })
