/** Requests that become sockets, which a Durable Object holds. */
import { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { ApiError } from '../../schema/errors.ts'
import type { AppEnv } from '../bindings/env.ts'

/** Of a request that is to become a socket; `requireUpgrade` refuses one without. */
export const upgradeHeaders = z.object({
  upgrade: z
    .string()
    .optional()
    .openapi({ enum: ['websocket'], param: { name: 'upgrade', in: 'header', required: true } }),
})

/** Refuses a plain request. */
export function requireUpgrade(c: Context<AppEnv>): void {
  if (c.req.header('upgrade')?.toLowerCase() === 'websocket') return
  throw new ApiError('invalid_request', 'expected a WebSocket: the header "Upgrade: websocket"')
}

/** Hands the socket to an object, which is told `query`. */
export async function upgradeAt(object: Fetcher, query: [string, string][] = []): Promise<Response> {
  const { webSocket } = await object.fetch(`https://socket/?${new URLSearchParams(query)}`, {
    headers: { upgrade: 'websocket' },
  })
  // An answer of its own, to which the app can add its headers.
  return new Response(null, { status: 101, webSocket: webSocket! })
}
