/** The log of a job as plain text, streamed: it is read as fast as it is taken. */
import { z } from 'zod'
import { errorBody } from '../../../schema/errors.ts'
import { viewerOf } from '../../access/people.ts'
import { byKey } from '../../http/params.ts'
import { rangeOf } from '../../http/range.ts'
import { apiRoute, json, type Route } from '../../http/route.ts'
import { streamLog } from '../../queries/logs/log-pieces.ts'
import { logSize } from '../../queries/logs/read-log.ts'
import { requireReadableJob } from '../../queries/parts/readable.ts'

const text = { 'text/plain': { schema: z.string() } }

const route = apiRoute({
  method: 'get',
  path: '/api/v1/jobs/:key/log',
  tags: ['Evidence'],
  summary: 'Read a log (HEAD tells its length; Range: bytes=from-to reads a part)',
  request: {
    params: byKey,
    query: z.strictObject({
      from: z.coerce
        .number()
        .int()
        .min(0)
        .max(Number.MAX_SAFE_INTEGER)
        .default(0)
        .describe('Leave out the bytes before this offset'),
      attempt: z.coerce
        .number()
        .int()
        .min(1)
        .max(Number.MAX_SAFE_INTEGER)
        .optional()
        .describe('The delivery that wrote it; the latest by default'),
    }),
  },
  responses: {
    200: { description: 'The log', content: text },
    206: { description: 'The bytes of the range', content: text },
    416: json(errorBody, 'The range lies outside'),
  },
})

export const apiJobLog: Route = (app) =>
  app.openapi(route, async (c) => {
    const [db, { key }, { from, attempt }] = [c.get('db'), c.req.valid('param'), c.req.valid('query')]
    await requireReadableJob(db, key, await viewerOf(c))
    const log = await logSize(db, key, attempt)
    const bytes = Math.max(0, (log?.bytes ?? 0) - from)
    const range = rangeOf(c.req.header('range'), bytes)
    const { offset, length } = range ?? { offset: 0, length: bytes }
    const begin = from + offset
    const reads = log && length > 0 && c.req.method !== 'HEAD'
    const body = reads
      ? streamLog(db, c.env.STORE, { key, attempt: log.attempt }, { from: begin, to: begin + length })
      : null
    const answer = new Response(body?.pipeThrough(new FixedLengthStream(length)) ?? null, {
      status: range ? 206 : 200,
      headers: {
        'content-type': 'text/plain; charset=UTF-8',
        'content-length': String(length),
        ...(range && { 'content-range': `bytes ${offset}-${offset + length - 1}/${bytes}` }),
        'accept-ranges': 'bytes',
      },
    })
    // Text as routes are typed to answer with, though it is never a string here.
    return answer as ReturnType<typeof c.text<string, 200>>
  })
