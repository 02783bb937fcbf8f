/** A runner asks how an artifact is to be sent. */
import { ApiError } from '../../schema/errors.ts'
import { headers, params, path, request, response } from '../../schema/protocol/begin-upload.ts'
import { MAX_BYTES, MAX_WHOLE_BYTES, PART_BYTES } from '../../schema/protocol/upload.ts'
import { allow } from '../auth.ts'
import { touchArtifact } from '../queries/artifacts.ts'
import { requireLease } from '../queries/leases.ts'
import { beginUpload } from '../queries/uploads.ts'
import { apiRoute, bearer, body, json, type Route } from '../route.ts'

const route = apiRoute({
  method: 'post',
  path,
  tags: ['Agent protocol'],
  summary: 'Begin an upload, or go on with one',
  security: bearer,
  middleware: [allow('runner')] as const,
  request: { params, headers, ...body(request) },
  responses: { 200: json(response, 'What to send') },
})

export const apiUploadBegin: Route = (app) =>
  app.openapi(route, async (c) => {
    const { sha256 } = c.req.valid('param')
    const { bytes } = c.req.valid('json')
    const { 'x-job-key': key, 'x-lease-token': token } = c.req.valid('header')
    const db = c.get('db')
    const now = Date.now()
    await requireLease(db, key, token)
    if (bytes > MAX_BYTES) {
      throw new ApiError('body_too_large', `expected at most ${MAX_BYTES} bytes, got ${bytes}; split the artifact`)
    }
    if (await touchArtifact(db, sha256, now)) return c.json({ kind: 'stored' as const }, 200)
    if (bytes <= MAX_WHOLE_BYTES) return c.json({ kind: 'whole' as const }, 200)
    const stored = await beginUpload(db, c.env.STORE, sha256, bytes, now)
    return c.json({ kind: 'parts' as const, partBytes: PART_BYTES, stored }, 200)
  })
