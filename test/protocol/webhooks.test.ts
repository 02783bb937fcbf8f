/** Webhooks for real: the Worker in workerd, a receiver over HTTP that verifies signatures, and the command. */
import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { apiOf } from '../../runner/agent/api.ts'
import { createClient } from '../../runner/agent/client.ts'
import type { WebhookMessage } from '../../schema/api/webhook.ts'
import { cleanUp, cli } from '../support/cli.ts'
import { fakeRunner } from '../support/fake-runner.ts'
import { type Server, startServer } from '../support/server.ts'

let server: Server
beforeAll(async () => {
  server = await startServer({
    ALLOW_LOCAL_WEBHOOKS: '1',
    WEBHOOK_RETRIES_MS: Array.from({ length: 9 }, () => 300).join(','),
  })
})
afterAll(async () => {
  await server?.stop()
  await cleanUp()
})

interface Received {
  id: string
  type: string
  data: Record<string, unknown>
  status: number
}

/** Answers with these statuses in turn, then with 204. What it can't verify it answers with 400. */
async function startReceiver(statuses: number[]) {
  const received: Received[] = []
  const state = { secret: '' }
  const receive = async (request: IncomingMessage): Promise<number> => {
    const body = await text(request)
    const header = (name: string) => String(request.headers[`webhook-${name}`])
    // By the rules' own library, and by hand.
    const { type, data } = new Webhook(state.secret).verify(body, request.headers as Record<string, string>) as Received
    const key = Buffer.from(state.secret.slice('whsec_'.length), 'base64')
    const mac = createHmac('sha256', key)
      .update(`${header('id')}.${header('timestamp')}.${body}`)
      .digest('base64')
    expect(header('signature')).toBe(`v1,${mac}`)
    const status = statuses.shift() ?? 204
    received.push({ id: header('id'), type, data, status })
    return status
  }
  const http = createServer((request, response) => {
    receive(request).then(
      (status) => response.writeHead(status).end(),
      () => response.writeHead(400).end(),
    )
  })
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done))
  const { port } = http.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/hook`, received, state, stop: () => http.close() }
}

test('a receiver that fails twice gets every message of a cancelled submission, each with one id', async () => {
  const { submit, post, tokenFor } = fakeRunner(server)
  const token = await tokenFor('submitter', 'ada')
  const receiver = await startReceiver([500, 503])
  const palimpsest = async (...words: string[]) => {
    const { code, stdout, stderr } = await cli(['webhooks', ...words, '--server', server.url], {
      PALIMPSEST_TOKEN: token,
    })
    expect([code, stderr]).toEqual([0, expect.any(String)])
    return stdout
  }
  const webhook = JSON.parse(await palimpsest('add', receiver.url, '--json')) as { id: string; secret: string }
  receiver.state.secret = webhook.secret

  // Its retrain comes along as a submission of its own, which goes on.
  const submission = await submit(token, {
    benchmark: 'fashion-mnist-5k.small-cnn.random-10',
    method: 'ft',
    seeds: [0, 1],
  })
  await post(`/api/v1/submissions/${submission.id}/cancel`, token, {})
  const delivered = () => receiver.received.filter(({ status }) => status === 204)
  await vi.waitFor(() => expect(delivered()).toHaveLength(3), { timeout: 60_000, interval: 100 })
  expect(
    delivered()
      .map(({ type, data }) => [type, data.run ?? data.submission])
      .sort(),
  ).toEqual([...submission.runs.map(({ id }) => ['run.cancelled', id]), ['submission.ended', submission.id]].sort())
  const refused = receiver.received.filter(({ status }) => status !== 204)
  expect(refused.map(({ status }) => status)).toEqual([500, 503])
  // Every message that was refused came again under its id; five attempts made three messages.
  expect(receiver.received).toHaveLength(5)
  expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(3)
  for (const { id } of refused) expect(delivered().map((message) => message.id)).toContain(id)

  const log = async () => JSON.parse(await palimpsest('log', webhook.id, '--json')) as WebhookMessage[]
  await vi.waitFor(async () => expect((await log()).every(({ state }) => state === 'delivered')).toBe(true), {
    timeout: 30_000,
  })
  const attempts = (await log()).flatMap((message) => message.attempts.map(({ status }) => status))
  expect(attempts.sort()).toEqual([204, 204, 204, 500, 503])

  const [first] = receiver.received
  await palimpsest('replay', webhook.id, first!.id)
  await vi.waitFor(() => expect(receiver.received).toHaveLength(6), { timeout: 30_000 })
  expect(receiver.received[5]).toMatchObject({ id: first!.id, type: first!.type, data: first!.data })

  expect(await palimpsest('list')).toContain(receiver.url)
  await palimpsest('remove', webhook.id)
  expect(await palimpsest('list')).not.toContain(receiver.url)
  receiver.stop()
})

/** REPLAYS sets how many. */
const REPLAYS = Number(process.env.REPLAYS ?? 300)

test(`${REPLAYS} replays of one trigger with one key, while the worker is restarted, make one run`, async () => {
  const token = await fakeRunner(server).tokenFor('submitter', 'bob')
  // As commands do, it sends again what got no answer.
  const api = apiOf(createClient({ server: server.url, token, retryForMs: 120_000 }))
  const body = { benchmark: 'fashion-mnist-5k.small-cnn.random-10', method: 'retrain', seeds: [7] }
  const runs = new Set<string>()
  let answered = 0
  const sender = async () => {
    for (; answered < REPLAYS; answered++) {
      for (const { id } of (await api.submit(body, 'trigger-1')).runs) runs.add(id)
    }
  }
  const senders = Promise.all(Array.from({ length: 20 }, sender))
  await vi.waitFor(() => expect(answered).toBeGreaterThan(REPLAYS / 3), { timeout: 1_200_000 })
  await server.restart()
  expect(answered).toBeLessThan(REPLAYS)
  await senders
  expect(runs.size).toBe(1)
  const answer = await fetch(`${server.url}/api/v1/runs?limit=100`)
  const { runs: all } = (await answer.json()) as { runs: { id: string; author: string }[] }
  expect(all.filter(({ author }) => author === 'bob').map(({ id }) => id)).toEqual([...runs])
}, 1_800_000)

test('where a relay is set, messages go through it, and only status and Retry-After of the receiver come back', async () => {
  const targets: unknown[] = []
  const statuses = ['503', '204']
  const relay = createServer((request, response) => {
    targets.push([request.headers['x-palimpsest-target'], typeof request.headers['webhook-signature']])
    const status = statuses.shift()
    if (status) response.writeHead(200, { 'x-palimpsest-status': status }).end()
    else response.writeHead(502).end()
  })
  await new Promise<void>((done) => relay.listen(0, '127.0.0.1', done))
  const { port } = relay.address() as AddressInfo
  const own = await startServer({ WEBHOOK_RELAY: `http://127.0.0.1:${port}/path`, WEBHOOK_RETRIES_MS: '300,300,300' })
  try {
    const { submit, post, tokenFor } = fakeRunner(own)
    const token = await tokenFor('submitter', 'ada')
    const api = apiOf(createClient({ server: own.url, token }))
    const { id } = await api.createWebhook({ url: 'https://hook.example.org/x', events: ['submission.ended'] })
    const submission = await submit(token, {
      benchmark: 'fashion-mnist-5k.small-cnn.random-10',
      method: 'retrain',
      seeds: [0],
    })
    await post(`/api/v1/submissions/${submission.id}/cancel`, token, {})
    const attempts = async () => (await api.webhookDeliveries(id)).flatMap(({ attempts }) => attempts)
    await vi.waitFor(async () => expect(await attempts()).toHaveLength(2), { timeout: 60_000, interval: 100 })
    expect((await attempts()).map(({ status, error }) => [status, error])).toEqual([
      [503, 'expected 2xx, got 503'],
      [204, null],
    ])
    const [message] = await api.webhookDeliveries(id)
    await api.replayWebhook(id, message!.id)
    await vi.waitFor(
      async () => expect(await attempts()).toContainEqual(expect.objectContaining({ error: 'no answer' })),
      {
        timeout: 60_000,
        interval: 100,
      },
    )
    expect(new Set(targets.map(String))).toEqual(new Set(['https://hook.example.org/x,string']))
  } finally {
    await own.stop()
    relay.close()
  }
})
