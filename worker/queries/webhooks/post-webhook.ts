/** One attempt to deliver a message: signed, over https to a public address, without following redirects. Of the answer nothing but
 *  its status is read, and of a failure nothing is told, so that a webhook is no way to find out what the server can reach. */
import ipaddr from 'ipaddr.js'
import { Webhook } from 'standardwebhooks'
import { STATUS, TARGET } from '../../../schema/webhook-relay.ts'
import type { Bindings } from '../../bindings/env.ts'
import { webhookSecret } from '../../keys/secrets.ts'

const TIMEOUT_MS = 15_000
/** The same for every reason: refused, timed out, of another address or without a certificate. */
const NO_ANSWER = 'no answer'
/** The longest that a receiver may ask for with `Retry-After`. */
const MAX_RETRY_AFTER_MS = 24 * 3_600_000

export interface Outcome {
  at: number
  durationMs: number
  status: number | null
  /** Null where it was delivered. */
  error: string | null
  retryAfterMs: number | null
}

export async function postWebhook(
  { id, webhookId, url, payload }: { id: string; webhookId: string; url: string; payload: string },
  env: Bindings,
  clock: () => number,
): Promise<Outcome> {
  const at = clock()
  const ended = (status: number | null, error: string | null, retryAfterMs: number | null = null): Outcome => ({
    at,
    durationMs: clock() - at,
    status,
    error,
    retryAfterMs,
  })
  const refused = refusalOf(url, env)
  if (refused) return ended(null, refused)
  try {
    const answer = await send(url, env, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Palimpsest',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at / 1000)),
        'webhook-signature': new Webhook(await webhookSecret(env, webhookId)).sign(id, new Date(at), payload),
      },
      body: payload,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    if (answer === null) return ended(null, NO_ANSWER)
    if (answer.ok) return ended(answer.status, null)
    const redirected = answer.status >= 300 && answer.status < 400 ? ', and redirects are not followed' : ''
    return ended(answer.status, `expected 2xx, got ${answer.status}${redirected}`, retryAfterOf(answer, clock()))
  } catch {
    return ended(null, NO_ANSWER)
  }
}

/** Status and headers of the answer; null where none came through the relay. */
async function send(url: string, { WEBHOOK_RELAY }: Bindings, init: RequestInit & { headers: Record<string, string> }) {
  const headers = WEBHOOK_RELAY ? { ...init.headers, [TARGET]: url } : init.headers
  const answer = await fetch(WEBHOOK_RELAY ?? url, { ...init, headers })
  await answer.body?.cancel()
  if (!WEBHOOK_RELAY) return answer
  const status = Number(answer.headers.get(STATUS))
  return status >= 200 ? { status, ok: status < 300, headers: answer.headers } : null
}

/** Seconds or a date. */
function retryAfterOf(answer: Pick<Response, 'headers'>, now: number): number | null {
  const header = answer.headers.get('retry-after')
  if (header === null) return null
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS) : null
}

/** Why nothing is sent to an address; null where it may be. What names resolve to is seen where they are connected to: a Worker's
 *  requests start in the public network, those of a local server go through its relay. */
export function refusalOf(
  address: string,
  { ALLOW_LOCAL_WEBHOOKS }: Pick<Bindings, 'ALLOW_LOCAL_WEBHOOKS'>,
): string | null {
  const url = URL.parse(address)
  if (!url) return `expected an address such as https://example.org/hook, got "${address}"`
  if (url.username || url.password) return 'expected an address without user name and password'
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  const literal = ipaddr.isValid(host) ? ipaddr.process(host).range() : null
  const loopback = literal === 'loopback' || host === 'localhost'
  if (ALLOW_LOCAL_WEBHOOKS === '1' && loopback && /^https?:$/.test(url.protocol)) return null
  if (url.protocol !== 'https:') return `expected https, got ${url.protocol.slice(0, -1)}`
  if (literal !== null && literal !== 'unicast')
    return `expected a public address, got one that is ${literal} (${host})`
  if (literal === null && (!host.includes('.') || /\.(localhost|local|internal)$/.test(host))) {
    return `expected a public host name, got ${host}`
  }
  return null
}
