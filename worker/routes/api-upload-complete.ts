/** A runner has sent every part of a large artifact. */
import { headers, params, path, response } from '../../schema/protocol/complete-upload.ts'
import { allow } from '../auth.ts'
import { requireLease } from '../queries/leases.ts'
import { completeUpload } from '../queries/uploads.ts'
import { apiRoute, bearer, json, type Route } from '../route.ts'

const route = apiRoute({
  method: 'post',
  path,
  tags: ['Agent protocol'],
  summary: 'Join the parts of an artifact',
  security: bearer,
  middleware: [allow('runner')] as const,
  request: { params, headers },
  responses: { 200: json(response, 'Verified and stored') },
})

export const apiUploadComplete: Route = (app) =>
  app.openapi(route, async (c) => {
    const { sha256 } = c.req.valid('param')
    const { 'x-job-key': key, 'x-lease-token': token } = c.req.valid('header')
    await requireLease(c.get('db'), key, token)
    const bytes = await completeUpload(c.get('db'), c.env.STORE, sha256, Date.now())
    return c.json({ sha256, bytes }, 200)
  })
