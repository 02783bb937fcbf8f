/** A runner has sent every part of a large artifact. */
import { params, path, response } from '../../../schema/protocol/complete-upload.ts'
import { withJobToken } from '../../access/job-token.ts'
import { apiRoute, bearer, json, type Route } from '../../http/route.ts'
import { completeUpload } from '../../queries/artifacts/uploads.ts'
import { requireAnyLease } from '../../queries/parts/held.ts'

const route = apiRoute({
  method: 'post',
  path,
  tags: ['Agent protocol'],
  summary: 'Join the parts of an artifact',
  security: bearer,
  middleware: [withJobToken] as const,
  request: { params },
  responses: { 200: json(response, 'Verified and stored') },
})

export const apiUploadComplete: Route = (app) =>
  app.openapi(route, async (c) => {
    const { sha256 } = c.req.valid('param')
    await requireAnyLease(c.get('db'), c.get('jobToken'), Date.now())
    const bytes = await completeUpload(c.get('db'), c.env.STORE, sha256, Date.now())
    return c.json({ sha256, bytes }, 200)
  })
