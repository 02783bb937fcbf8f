/** A runner stores bytes under their SHA-256. */
import { ApiError } from '../../schema/errors.ts'
import { headers, MAX_BYTES, params, path, response } from '../../schema/protocol/upload.ts'
import { allow } from '../auth.ts'
import { storeArtifact } from '../queries/artifacts.ts'
import { requireLease } from '../queries/leases.ts'
import { apiRoute, bearer, json, type Route } from '../route.ts'

const route = apiRoute({
  method: 'put',
  path,
  tags: ['Agent protocol'],
  summary: 'Store an artifact',
  security: bearer,
  middleware: [allow('runner')] as const,
  request: { params, headers },
  responses: { 200: json(response, 'Stored') },
})

export const apiUpload: Route = (app) =>
  app.openapi(route, async (c) => {
    const { sha256 } = c.req.valid('param')
    const { 'x-job-key': key, 'x-lease-token': token } = c.req.valid('header')
    // Checked before the body only: renewals during a long upload change the token, and bytes under their own hash harm nobody.
    await requireLease(c.get('db'), key, token)
    const bytes = Number(c.req.header('content-length') ?? Number.NaN)
    const { body } = c.req.raw
    if (!Number.isInteger(bytes) || (bytes > 0 && !body)) {
      throw new ApiError('invalid_request', 'expected a body and its Content-Length')
    }
    if (bytes > MAX_BYTES) {
      throw new ApiError('body_too_large', `expected at most ${MAX_BYTES} bytes, got ${bytes}; split the artifact`)
    }
    await storeArtifact(c.get('db'), c.env.STORE, { sha256, bytes, body })
    return c.json({ sha256, bytes }, 200)
  })
