/** Webhooks: made, signed, delivered, tried again, and given up. */
import { afterEach, expect, test, vi } from 'vitest'
import type { Webhook, WebhookMessage } from '../../schema/api/webhook.ts'
import { databaseOf } from '../../worker/bindings/database.ts'
import { refusalOf } from '../../worker/queries/webhooks/post-webhook.ts'
import { sendDue } from '../../worker/queries/webhooks/send-webhooks.ts'
import { ADMIN, ask, bindings, errorOf, read, submit, tokenFor, useFreshDatabase, workOff } from './support.ts'

useFreshDatabase()
afterEach(() => vi.restoreAllMocks())

const url = 'https://hooks.example.org/palimpsest'

const create = async (token: string, json: Record<string, unknown> = {}) =>
  read<Webhook & { secret: string }>(await ask('/api/v1/webhooks', { token, json: { url, ...json } }), 201)

const deliveries = async (token: string, id: string) =>
  (await read<{ deliveries: WebhookMessage[] }>(await ask(`/api/v1/webhooks/${id}/deliveries`, { token }))).deliveries

const webhookOf = async (token: string, id: string) => read<Webhook>(await ask(`/api/v1/webhooks/${id}`, { token }))

/** A submitter with a webhook and one message that is due: the submission's stages exist, so it ended when it was created. */
async function oneMessage() {
  const [ada, runner] = [await tokenFor('submitter', 'ada'), await tokenFor('runner')]
  await submit(ada, { seeds: [0] })
  await workOff(runner)
  const webhook = await create(ada, { events: ['submission.ended'] })
  await submit(ada, { seeds: [0] })
  return { ada, webhook }
}

const answers = (...statuses: (number | Response | Error)[]) =>
  vi.spyOn(globalThis, 'fetch').mockImplementation(async () => {
    const next = statuses.shift() ?? 200
    if (next instanceof Error) throw next
    return next instanceof Response ? next : new Response(null, { status: next })
  })

/** What the Courier's alarm does, at a time of the test's choice. */
const sendAt = (now: number) => sendDue(databaseOf(bindings.DB), bindings, () => now)

test('a webhook is shown with its secret once, and to its owner only', async () => {
  const [ada, bob] = [await tokenFor('submitter', 'ada'), await tokenFor('submitter', 'bob')]
  const { secret, ...webhook } = await create(ada)
  // 32 bytes are 43 characters of base64 and one of padding; the rules ask for 24 to 64 bytes.
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  expect(webhook).toMatchObject({ url, failingSince: null, disabledAt: null })
  expect(webhook.events).toEqual(['run.done', 'run.failed', 'run.cancelled', 'submission.ended'])
  expect(await read(await ask('/api/v1/webhooks', { token: ada }))).toEqual({ webhooks: [webhook] })
  expect(await read(await ask('/api/v1/webhooks', { token: bob }))).toEqual({ webhooks: [] })
  for (const [path, method] of [
    [webhook.id, 'GET'],
    [webhook.id, 'DELETE'],
    [`${webhook.id}/deliveries`, 'GET'],
    [`${webhook.id}/deliveries/msg_1/replay`, 'POST'],
  ] as const) {
    expect((await ask(`/api/v1/webhooks/${path}`, { token: bob, method })).status).toBe(404)
  }
  expect((await create(ada)).secret).not.toBe(secret)
})

test('under one idempotency key a webhook is created once and answered alike', async () => {
  const token = await tokenFor('submitter')
  const headers = { 'idempotency-key': 'k' }
  const first = await read(await ask('/api/v1/webhooks', { token, json: { url }, headers }), 201)
  expect(await read(await ask('/api/v1/webhooks', { token, json: { url }, headers }), 201)).toEqual(first)
  const other = await ask('/api/v1/webhooks', { token, json: { url: `${url}/2` }, headers })
  expect(await errorOf(other)).toMatchObject({ status: 409, code: 'idempotency_mismatch' })
  expect((await read<{ webhooks: unknown[] }>(await ask('/api/v1/webhooks', { token }))).webhooks).toHaveLength(1)
})

test('a submitter has at most ten webhooks', async () => {
  const token = await tokenFor('submitter')
  for (let i = 0; i < 10; i++) await create(token)
  expect(await errorOf(await ask('/api/v1/webhooks', { token, json: { url } }))).toMatchObject({ status: 409 })
})

test.each([
  ['http://example.org/', 'expected https'],
  ['ftp://example.org/', 'expected https'],
  ['nonsense', 'expected an address'],
  ['https://ada:secret@example.org/', 'without user name'],
  ['https://localhost/', 'public host name'],
  ['https://printer.local/', 'public host name'],
  ['https://intranet/', 'public host name'],
  ['https://127.0.0.1/', 'public address'],
  ['https://127.1/', 'public address'],
  ['https://2130706433/', 'public address'],
  ['https://0x7f.0.0.1/', 'public address'],
  ['https://0.0.0.0/', 'public address'],
  ['https://10.1.2.3/', 'public address'],
  ['https://169.254.169.254/latest/meta-data/', 'public address'],
  ['https://100.64.0.1/', 'public address'],
  ['https://[::1]/', 'public address'],
  ['https://[::ffff:10.0.0.1]/', 'public address'],
  ['https://[fd00::1]/', 'public address'],
  ['https://[fe80::1]/', 'public address'],
  ['https://[64:ff9b::a00:1]/', 'public address'],
])('%s is refused as the address of a webhook', async (address, why) => {
  const answer = await ask('/api/v1/webhooks', { token: ADMIN, json: { url: address } })
  const { status, message } = await errorOf(answer)
  expect(status).toBe(400)
  expect(message).toContain(why)
})

test('loopback without https is for development only', () => {
  for (const address of ['http://127.0.0.1:9/x', 'http://localhost:9/', 'http://[::1]:9/']) {
    expect(refusalOf(address, { ALLOW_LOCAL_WEBHOOKS: '1' })).toBeNull()
    expect(refusalOf(address, {})).not.toBeNull()
  }
  expect(refusalOf('http://10.0.0.1/', { ALLOW_LOCAL_WEBHOOKS: '1' })).not.toBeNull()
  expect(refusalOf('https://8.8.8.8/', {})).toBeNull()
})

test('a message is signed as the Standard Webhooks rules say, and its redirects are not followed', async () => {
  const { ada, webhook } = await oneMessage()
  const fetches = answers(200)
  const now = Date.now()
  await sendAt(now)
  const [address, init] = fetches.mock.calls[0] as [string, RequestInit & { body: string }]
  expect(address).toBe(url)
  expect(init).toMatchObject({ method: 'POST', redirect: 'manual' })
  const headers = new Headers(init.headers)
  const id = headers.get('webhook-id')
  expect(headers.get('webhook-timestamp')).toBe(String(Math.floor(now / 1000)))
  // By the rules: base64 of HMAC-SHA256 over `id.timestamp.body`, with the bytes that the secret holds in base64 as key.
  const bytes = Uint8Array.from(atob(webhook.secret.slice('whsec_'.length)), (char) => char.charCodeAt(0))
  const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const signed = new TextEncoder().encode(`${id}.${Math.floor(now / 1000)}.${init.body}`)
  const mac = btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.sign('HMAC', key, signed))))
  expect(headers.get('webhook-signature')).toBe(`v1,${mac}`)
  const [message] = await deliveries(ada, webhook.id)
  expect(message).toMatchObject({ id, state: 'delivered', payload: JSON.parse(init.body), nextAttemptAt: null })
  expect(message!.payload).toMatchObject({
    type: 'submission.ended',
    data: { runs: { done: 1, failed: 0, cancelled: 0 } },
  })
  await sendAt(now + 86_400_000)
  expect(fetches).toHaveBeenCalledTimes(1)
})

test('a message that fails is tried again after the pauses of the rules, ten times over three days; then its webhook is disabled', async () => {
  const { ada, webhook } = await oneMessage()
  const failures = [new Response(null, { status: 301 }), 500, 404, new Error('refused'), 500, 500, 500, 500, 500, 503]
  const fetches = answers(...failures)
  // The rules' example schedule, in seconds: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
  const pauses = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400].map((s) => s * 1000)
  let now = Date.now()
  for (const [index, pause] of pauses.entries()) {
    await sendAt(now)
    expect(fetches).toHaveBeenCalledTimes(index + 1)
    const [message] = await deliveries(ada, webhook.id)
    expect(message!.state).toBe('pending')
    const next = Date.parse(message!.nextAttemptAt!)
    // Jitter moves each by a tenth at most.
    expect(next - now).toBeGreaterThanOrEqual(pause * 0.9)
    expect(next - now).toBeLessThanOrEqual(pause * 1.1)
    await sendAt(next - 1)
    expect(fetches).toHaveBeenCalledTimes(index + 1)
    now = next
  }
  expect(await webhookOf(ada, webhook.id)).toMatchObject({ disabledAt: null })
  await sendAt(now)
  const [message] = await deliveries(ada, webhook.id)
  expect(message).toMatchObject({ state: 'failed', nextAttemptAt: null })
  expect(message!.attempts.map(({ status }) => status)).toEqual([301, 500, 404, null, 500, 500, 500, 500, 500, 503])
  expect(message!.attempts[0]!.error).toBe('expected 2xx, got 301, and redirects are not followed')
  expect(message!.attempts[3]!.error).toBe('no answer')
  // 90% of 75 h 35 min 5 s.
  expect((await webhookOf(ada, webhook.id)).disabledReason).toBe(
    'nothing was delivered for 68 h; the last attempt: expected 2xx, got 503',
  )
  await submit(ada, { seeds: [0] })
  expect(await deliveries(ada, webhook.id)).toHaveLength(1)
  expect(await sendAt(now)).toBeNull()
})

test('Retry-After makes a pause longer, and a success ends what was failing', async () => {
  const { ada, webhook } = await oneMessage()
  answers(new Response(null, { status: 429, headers: { 'retry-after': '3600' } }), 204)
  const now = Date.now()
  await sendAt(now)
  const [message] = await deliveries(ada, webhook.id)
  expect(Date.parse(message!.nextAttemptAt!)).toBe(now + 3_600_000)
  expect((await webhookOf(ada, webhook.id)).failingSince).toBe(new Date(now).toISOString())
  await sendAt(now + 3_600_000)
  expect((await deliveries(ada, webhook.id))[0]!.state).toBe('delivered')
  expect((await webhookOf(ada, webhook.id)).failingSince).toBeNull()
})

test('410 disables a webhook at once, and a replay enables it again', async () => {
  const { ada, webhook } = await oneMessage()
  const fetches = answers(410, 200)
  const now = Date.now()
  await sendAt(now)
  expect((await webhookOf(ada, webhook.id)).disabledReason).toContain('410')
  const [failed] = await deliveries(ada, webhook.id)
  expect(failed!.state).toBe('failed')
  const path = `/api/v1/webhooks/${webhook.id}/deliveries/${failed!.id}/replay`
  expect(await read(await ask(path, { token: ada, method: 'POST' }))).toMatchObject({
    id: failed!.id,
    state: 'pending',
  })
  expect(await webhookOf(ada, webhook.id)).toMatchObject({ disabledAt: null, disabledReason: null })
  await sendAt(now + 10_000)
  const [again] = await deliveries(ada, webhook.id)
  expect(again).toMatchObject({ state: 'delivered', payload: failed!.payload })
  expect(again!.attempts.map(({ status }) => status)).toEqual([410, 200])
  const ids = fetches.mock.calls.map(([, init]) => new Headers(init?.headers).get('webhook-id'))
  expect(ids).toEqual([failed!.id, failed!.id])
})

test('a deleted webhook is told nothing more, and one whose token was revoked neither', async () => {
  const { ada, webhook } = await oneMessage()
  const fetches = answers()
  await read(await ask(`/api/v1/webhooks/${webhook.id}`, { token: ada, method: 'DELETE' }))
  await sendAt(Date.now())
  const { id } = await create(ada)
  await submit(ada, { seeds: [0] })
  const { tokens } = await read<{ tokens: { id: string; name: string }[] }>(
    await ask('/api/v1/tokens', { token: ADMIN }),
  )
  await read(
    await ask(`/api/v1/tokens/${tokens.find(({ name }) => name === 'ada')!.id}`, { token: ADMIN, method: 'DELETE' }),
  )
  await sendAt(Date.now())
  expect(fetches).not.toHaveBeenCalled()
  const row = await bindings.DB.prepare('SELECT disabled_reason FROM webhooks WHERE id = ?').bind(id).first()
  expect(row).toEqual({ disabled_reason: 'the token that created it was revoked' })
})

test('twenty webhooks that fail slowly do not keep one that works from its message', async () => {
  const { ada, webhook } = await oneMessage()
  const bob = await tokenFor('submitter', 'bob')
  await create(bob, { url: 'https://slow.example.org/' })
  for (let i = 0; i < 20; i++) await submit(bob, { seeds: [0] })
  await submit(ada, { seeds: [0] })
  const fetches = answers()
  await sendAt(Date.now())
  const addresses = fetches.mock.calls.map(([address]) => address)
  // Two messages of ada's, and no more than four at once to one webhook.
  expect(addresses.filter((address) => address === url)).toHaveLength(2)
  expect(addresses).toHaveLength(6)
  expect((await deliveries(ada, webhook.id)).map(({ state }) => state)).toEqual(['delivered', 'delivered'])
})
