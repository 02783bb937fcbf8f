/** What a request to the API may weigh. Bodies of uploads are limited by their own routes. */
import { bodyLimit } from 'hono/body-limit'
import { createMiddleware } from 'hono/factory'
import { ApiError } from '../../schema/errors.ts'
import type { AppEnv } from '../bindings/env.ts'

const MAX_JSON_BYTES = 256 * 1024
/** A chunk of a log is at most 64 KiB of text, each byte of which JSON may write as \u0000. */
const MAX_LOG_BYTES = 6 * 64 * 1024 + 4 * 1024

const atMost = (maxSize: number) =>
  bodyLimit({
    maxSize,
    onError: () => {
      throw new ApiError('body_too_large', `expected at most ${maxSize} bytes of JSON`)
    },
  })
const jsonLimit = atMost(MAX_JSON_BYTES)
const logLimit = atMost(MAX_LOG_BYTES)

/** Bodies come as they are: one that must be unpacked has a size that nobody announced. */
export const limits = createMiddleware<AppEnv>((c, next) => {
  if (c.req.method === 'GET' || c.req.method === 'HEAD') return next()
  const encoding = c.req.header('content-encoding')
  if (encoding !== undefined && encoding !== 'identity') {
    throw new ApiError('unsupported_encoding', `expected a body without Content-Encoding, got "${encoding}"`)
  }
  if (c.req.method === 'PUT') return next()
  return (c.req.path.endsWith('/log') ? logLimit : jsonLimit)(c, next)
})
