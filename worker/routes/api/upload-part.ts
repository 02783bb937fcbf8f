/** A runner stores one part of a large artifact. */

import { PART_BYTES } from '../../../schema/protocol/upload.ts'
import { headers, params, path, response } from '../../../schema/protocol/upload-part.ts'
import { withJobToken } from '../../access/job-token.ts'
import { apiRoute, bearer, json, type Route } from '../../http/route.ts'
import { storePart } from '../../queries/artifacts/uploads.ts'
import { requireAnyLease } from '../../queries/parts/held.ts'
import { requireLength } from './upload.ts'

const route = apiRoute({
  method: 'put',
  path,
  tags: ['Agent protocol'],
  summary: 'Store a part of an artifact',
  security: bearer,
  middleware: [withJobToken] as const,
  request: { params, headers },
  responses: { 200: json(response, 'Stored') },
})

export const apiUploadPart: Route = (app) =>
  app.openapi(route, async (c) => {
    const { sha256, number } = c.req.valid('param')
    const { 'x-part-sha256': partSha256 } = c.req.valid('header')
    await requireAnyLease(c.get('db'), c.get('jobToken'), Date.now())
    const bytes = requireLength(c.req.header('content-length'), PART_BYTES, 'send parts of that size')
    const content = new Uint8Array(await c.req.arrayBuffer())
    await storePart(c.get('db'), c.env.STORE, sha256, { number, sha256: partSha256, content }, Date.now())
    return c.json({ number, bytes }, 200)
  })
