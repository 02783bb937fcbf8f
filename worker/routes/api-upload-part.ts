/** A runner stores one part of a large artifact. */

import { PART_BYTES } from '../../schema/protocol/upload.ts'
import { headers, params, path, response } from '../../schema/protocol/upload-part.ts'
import { allow } from '../auth.ts'
import { requireLease } from '../queries/leases.ts'
import { storePart } from '../queries/uploads.ts'
import { apiRoute, bearer, json, type Route } from '../route.ts'
import { requireLength } from './api-upload.ts'

const route = apiRoute({
  method: 'put',
  path,
  tags: ['Agent protocol'],
  summary: 'Store a part of an artifact',
  security: bearer,
  middleware: [allow('runner')] as const,
  request: { params, headers },
  responses: { 200: json(response, 'Stored') },
})

export const apiUploadPart: Route = (app) =>
  app.openapi(route, async (c) => {
    const { sha256, number } = c.req.valid('param')
    const { 'x-job-key': key, 'x-lease-token': token, 'x-part-sha256': partSha256 } = c.req.valid('header')
    await requireLease(c.get('db'), key, token)
    const bytes = requireLength(c.req.header('content-length'), PART_BYTES, 'send parts of that size')
    const content = new Uint8Array(await c.req.arrayBuffer())
    await storePart(c.get('db'), c.env.STORE, sha256, { number, sha256: partSha256, content }, Date.now())
    return c.json({ number, bytes }, 200)
  })
