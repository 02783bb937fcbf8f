/** A runner stores bytes under their SHA-256, as one body. */
import { ApiError } from '../../../schema/errors.ts'
import { MAX_WHOLE_BYTES, params, path, response } from '../../../schema/protocol/upload.ts'
import { withJobToken } from '../../access/job-token.ts'
import { apiRoute, bearer, json, type Route } from '../../http/route.ts'
import { storeArtifact } from '../../queries/artifacts/artifacts.ts'
import { requireAnyLease } from '../../queries/parts/held.ts'

const route = apiRoute({
  method: 'put',
  path,
  tags: ['Agent protocol'],
  summary: 'Store an artifact',
  security: bearer,
  middleware: [withJobToken] as const,
  request: { params },
  responses: { 200: json(response, 'Stored') },
})

export const apiUpload: Route = (app) =>
  app.openapi(route, async (c) => {
    const { sha256 } = c.req.valid('param')
    // Checked before the body only: renewals during a long upload change the token, and bytes under their own hash harm nobody.
    await requireAnyLease(c.get('db'), c.get('jobToken'), Date.now())
    const bytes = requireLength(c.req.header('content-length'), MAX_WHOLE_BYTES, 'send it in parts')
    const { body } = c.req.raw
    if (bytes > 0 && !body) throw new ApiError('invalid_request', 'expected a body')
    await storeArtifact(c.get('db'), c.env.STORE, { sha256, bytes, body }, Date.now())
    return c.json({ sha256, bytes }, 200)
  })

/** The length that a request announces; `remedy` says what to do about one that is too long. */
export function requireLength(header: string | undefined, most: number, remedy: string): number {
  if (!header || !/^\d+$/.test(header)) {
    throw new ApiError('invalid_request', 'expected a body and its Content-Length')
  }
  const bytes = Number(header)
  if (bytes > most) throw new ApiError('body_too_large', `expected at most ${most} bytes, got ${bytes}; ${remedy}`)
  return bytes
}
