/** A runner asks how an artifact is to be sent. */
import { ApiError } from '../../../schema/errors.ts'
import { params, path, request, response } from '../../../schema/protocol/begin-upload.ts'
import { MAX_BYTES, MAX_WHOLE_BYTES, PART_BYTES } from '../../../schema/protocol/upload.ts'
import { withJobToken } from '../../access/job-token.ts'
import { apiRoute, bearer, body, json, type Route } from '../../http/route.ts'
import { touchArtifact } from '../../queries/artifacts/artifacts.ts'
import { beginUpload } from '../../queries/artifacts/uploads.ts'
import { requireAnyLease } from '../../queries/parts/held.ts'

const route = apiRoute({
  method: 'post',
  path,
  tags: ['Agent protocol'],
  summary: 'Begin an upload, or go on with one',
  security: bearer,
  middleware: [withJobToken] as const,
  request: { params, ...body(request) },
  responses: { 200: json(response, 'What to send') },
})

export const apiUploadBegin: Route = (app) =>
  app.openapi(route, async (c) => {
    const { sha256 } = c.req.valid('param')
    const { bytes } = c.req.valid('json')
    const db = c.get('db')
    const now = Date.now()
    await requireAnyLease(db, c.get('jobToken'), now)
    if (bytes > MAX_BYTES) {
      throw new ApiError('body_too_large', `expected at most ${MAX_BYTES} bytes, got ${bytes}; split the artifact`)
    }
    if (await touchArtifact(db, sha256, now)) return c.json({ kind: 'stored' as const }, 200)
    if (bytes <= MAX_WHOLE_BYTES) return c.json({ kind: 'whole' as const }, 200)
    const stored = await beginUpload(db, c.env.STORE, sha256, bytes, now)
    return c.json({ kind: 'parts' as const, partBytes: PART_BYTES, stored }, 200)
  })
