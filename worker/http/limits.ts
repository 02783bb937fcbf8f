/** What a request to the API may weigh, and how often one address may read. Bodies of uploads are limited by their own routes. */
import { bodyLimit } from 'hono/body-limit'
import { createMiddleware } from 'hono/factory'
import { matchedRoutes } from 'hono/route'
import { ApiError } from '../../schema/errors.ts'
import { path as logPath, MAX_CHUNK_CHARACTERS } from '../../schema/protocol/log.ts'
import type { AppEnv } from '../bindings/env.ts'

const MAX_JSON_BYTES = 256 * 1024
/** JSON may write each character of a chunk as \u0000, and the rest of the request beside it. */
const MAX_LOG_CHUNK_JSON_BYTES = 6 * MAX_CHUNK_CHARACTERS + 4 * 1024

const atMost = (maxSize: number) =>
  bodyLimit({
    maxSize,
    onError: () => {
      throw new ApiError('body_too_large', `expected at most ${maxSize} bytes of JSON`)
    },
  })
const jsonLimit = atMost(MAX_JSON_BYTES)
const logChunkLimit = atMost(MAX_LOG_CHUNK_JSON_BYTES)

/** Bodies come as they are: one that must be unpacked has a size that nobody announced. */
export const limits = createMiddleware<AppEnv>((c, next) => {
  if (c.req.method === 'GET' || c.req.method === 'HEAD') return next()
  const encoding = c.req.header('content-encoding')
  if (encoding !== undefined && encoding !== 'identity') {
    throw new ApiError('unsupported_encoding', `expected a body without Content-Encoding, got "${encoding}"`)
  }
  if (c.req.method === 'PUT') return next()
  const isLogChunk = matchedRoutes(c).some(({ path }) => path === logPath)
  return (isLogChunk ? logChunkLimit : jsonLimit)(c, next)
})

/** Of the address itself: a token does not count, since one that is made up would. Whoever asks without an address, or from this very
 *  machine, asks a server of his own. */
export const readLimit = createMiddleware<AppEnv>(async (c, next) => {
  const address = c.req.header('cf-connecting-ip')
  const reads = c.req.method === 'GET' || c.req.method === 'HEAD'
  if (reads && address && !LOOPBACK.test(address)) {
    const { success } = await c.env.READS.limit({ key: networkOf(address) })
    if (!success) {
      throw new ApiError(
        'rate_limited',
        'expected at most 300 reads in 10 seconds from one address; wait and go on slower',
        {
          retryAfterSeconds: 10,
        },
      )
    }
  }
  await next()
})

const LOOPBACK = /^(127\.[\d.]+|::1|::ffff:127\.[\d.]+)$/

/** One customer has 2^64 addresses of IPv6 at least: they count as one. */
function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::')
  const left = head.split(':').filter(Boolean)
  const right = tail?.split(':').filter(Boolean) ?? []
  const zeros = Array(Math.max(0, 8 - left.length - right.length)).fill('0')
  return [...left, ...zeros, ...right].slice(0, 4).join(':')
}
