import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { createClient, RemoteError, UnreachableError } from '../../runner/agent/client.ts'
import { failureOf } from '../../runner/agent/failure.ts'
import { type HeldLease, holdLease, JobCancelled, LeaseLost } from '../../runner/agent/heartbeat.ts'
import { openLog } from '../../runner/agent/log.ts'
import { DatasetError } from '../../runner/dataset.ts'
import { MetricError } from '../../runner/metric.ts'
import { ConfigurationError } from '../../runner/pipeline/configuration-error.ts'
import { DivergenceError } from '../../runner/pipeline/trainer.ts'
import type { Job } from '../../schema/protocol/lease.ts'

const closing: (() => void)[] = []
afterAll(() => {
  for (const close of closing) close()
})

type Answer = (request: { path: string; body: Record<string, unknown> }) => { status?: number; body: unknown } | null

/** A server that answers as told; null hangs up. */
async function fakeServer(answer: Answer): Promise<string> {
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    let text = ''
    for await (const chunk of request.setEncoding('utf8')) text += chunk
    const told = answer({ path: request.url ?? '', body: text ? JSON.parse(text) : {} })
    if (!told) return request.socket.destroy()
    response.writeHead(told.status ?? 200, { 'content-type': 'application/json' }).end(JSON.stringify(told.body))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  closing.push(() => server.close())
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}

const refusal = (status: number, code: string, message = code) => ({
  status,
  body: { error: { code, message, requestId: 'r' } },
})

const KEY = 'a'.repeat(64)
const tokenOf = (number: number) => number.toString(16).padStart(32, '0')
const leaseOf = (number: number) => ({ token: tokenOf(number), leaseMs: 1000, renewEveryMs: 50 })
const job = { key: KEY, lease: leaseOf(0), inputs: {}, spec: {} } as unknown as Job

test('hang-ups and 5xx are tried again, refusals are not', async () => {
  let asked = 0
  const server = await fakeServer(() => {
    asked += 1
    if (asked === 1) return null
    if (asked === 2) return refusal(500, 'internal')
    if (asked === 3) return { body: { kind: 'none', retryAfterMs: 5 } }
    return refusal(403, 'forbidden')
  })
  const client = createClient({ server })
  const request = { runner: 'r', device: { deviceClass: 'c', provider: 'cpu', precision: 'float32', threads: 1 } }
  expect(await client.lease(request)).toEqual({ kind: 'none', retryAfterMs: 5 })
  expect(asked).toBe(3)
  await expect(client.lease(request)).rejects.toThrow(RemoteError)
  expect(asked).toBe(4)
})

test('a server that stays away is an UnreachableError that names it', async () => {
  const client = createClient({ server: 'http://127.0.0.1:9', retryForMs: 0 })
  await expect(client.renew(KEY, { token: tokenOf(0), progress: null })).rejects.toThrow(UnreachableError)
})

test('an answer of another shape says so and is not tried again', async () => {
  let asked = 0
  const server = await fakeServer(() => {
    asked += 1
    return { body: { kind: 'job', job: 1 } }
  })
  const request = { runner: 'r', device: { deviceClass: 'c', provider: 'cpu', precision: 'float32', threads: 1 } }
  await expect(createClient({ server }).lease(request)).rejects.toThrow(
    /unexpected answer: job: expected object, got 1/,
  )
  expect(asked).toBe(1)
})

test('every write carries the newest fencing token, in one order with the renewals', async () => {
  let newest = 0
  const wrong: unknown[] = []
  const server = await fakeServer(({ path, body }) => {
    if (body.token !== tokenOf(newest)) wrong.push([path, body.token])
    if (path.endsWith('/renew')) return { body: { lease: leaseOf(++newest), cancel: false } }
    return { body: { offset: Number(body.offset) + String(body.text).length } }
  })
  const client = createClient({ server })
  const lease = holdLease({ client, job, progress: () => null, onTrouble: () => {} })
  for (let sent = 0; sent < 30; sent++) {
    await Promise.all([1, 2, 3].map((offset) => lease.write((token) => client.log(KEY, { token, offset, text: 'x' }))))
    await sleep(10)
  }
  lease.stop()
  expect(wrong).toEqual([])
  expect(newest).toBeGreaterThan(3)
})

test('a refused renewal is a lost lease, and nothing is written after it', async () => {
  const paths: string[] = []
  const server = await fakeServer(({ path }) => {
    paths.push(path)
    return refusal(409, 'stale_lease')
  })
  const client = createClient({ server })
  const lease = holdLease({ client, job, progress: () => null, onTrouble: () => {} })
  await new Promise((aborted) => lease.signal.addEventListener('abort', aborted))
  expect(lease.signal.reason).toBeInstanceOf(LeaseLost)
  await expect(lease.write((token) => client.log(KEY, { token, offset: 0, text: 'x' }))).rejects.toThrow(LeaseLost)
  lease.stop()
  expect(paths).toEqual([`/api/v1/jobs/${KEY}/renew`])
})

test('a renewal that says cancel stops the job', async () => {
  const server = await fakeServer(() => ({ body: { lease: leaseOf(1), cancel: true } }))
  const lease = holdLease({ client: createClient({ server }), job, progress: () => null, onTrouble: () => {} })
  await new Promise((aborted) => lease.signal.addEventListener('abort', aborted))
  lease.stop()
  expect(lease.signal.reason).toBeInstanceOf(JobCancelled)
})

test('a log that the server lost a part of is sent again from there, whole characters only', async () => {
  const chunks: Buffer[] = []
  const length = () => chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  let lossAt = 3
  const server = await fakeServer(({ body }) => {
    lossAt -= 1
    if (lossAt === 0) chunks.pop()
    if (body.offset !== length()) {
      return refusal(409, 'log_gap', `expected offset ${length()}, got ${body.offset}; send what is missing`)
    }
    chunks.push(Buffer.from(String(body.text)))
    return { body: { offset: length() } }
  })
  const lease = {
    write: (send: (token: string) => Promise<unknown>) => send(tokenOf(0)),
    token: () => tokenOf(0),
  } as unknown as HeldLease
  const troubles: string[] = []
  const log = openLog({ client: createClient({ server }), key: KEY, lease, onTrouble: (text) => troubles.push(text) })
  // 40,000 characters of 3 bytes each: more than a chunk, cut inside of no character.
  log.add('€'.repeat(40_000))
  for (let line = 0; line < 2000; line++) log.add(`line ${line} ✓`)
  await log.close()
  expect(troubles).toEqual([])
  const lines = Buffer.concat(chunks).toString().trimEnd().split('\n')
  expect(lines[0]?.slice(9) === '€'.repeat(40_000)).toBe(true)
  expect(lines.slice(1).map((line) => line.slice(9))).toEqual(
    Array.from({ length: 2000 }, (_, line) => `line ${line} ✓`),
  )
})

test.each([
  [new DivergenceError('NaN'), 'numeric_divergence'],
  [new DatasetError('missing'), 'dependency'],
  [new MetricError('empty'), 'evaluator_bug'],
  [new ConfigurationError('unknown method'), 'configuration'],
  [new RangeError('Array buffer allocation failed'), 'out_of_memory'],
  [Object.assign(new Error('read'), { code: 'ENOMEM' }), 'out_of_memory'],
  [new TypeError('x is not a function'), 'evaluator_bug'],
])('%s fails a job as %s', (error, reason) => {
  expect(failureOf(error).reason).toBe(reason)
})
