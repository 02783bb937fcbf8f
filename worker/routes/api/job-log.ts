/** The log of a job as plain text. */

import { z } from 'zod'
import { viewerOf } from '../../access/people.ts'
import { byKey } from '../../http/params.ts'
import { apiRoute, type Route } from '../../http/route.ts'
import { readLog } from '../../queries/logs/read-log.ts'
import { requireReadableJob } from '../../queries/parts/readable.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/jobs/:key/log',
  tags: ['Evidence'],
  summary: 'Read a log',
  request: {
    params: byKey,
    query: z.strictObject({
      from: z.coerce.number().int().min(0).default(0).describe('Leave out the bytes before this offset'),
      attempt: z.coerce.number().int().min(1).optional().describe('The delivery that wrote it; the latest by default'),
    }),
  },
  responses: { 200: { description: 'The log', content: { 'text/plain': { schema: z.string() } } } },
})

export const apiJobLog: Route = (app) =>
  app.openapi(route, async (c) => {
    await requireReadableJob(c.get('db'), c.req.valid('param').key, await viewerOf(c))
    const text = await readLog(c.get('db'), c.env.STORE, c.req.valid('param').key, c.req.valid('query'))
    return c.text(text, 200)
  })
