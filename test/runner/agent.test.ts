/** The runner's side of the protocol against servers that hang up, answer late, or answer something else. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createClient, RemoteError, UnreachableError } from '../../runner/agent/client.ts'
import { failureOf } from '../../runner/agent/failure.ts'
import { type HeldLease, holdLease, JobCancelled, LeaseLost } from '../../runner/agent/heartbeat.ts'
import { openLog } from '../../runner/agent/log.ts'
import { DivergenceError } from '../../runner/engine/training/trainer.ts'
import { DatasetError } from '../../runner/science/dataset.ts'
import { MetricError } from '../../runner/science/metric.ts'
import { ConfigurationError } from '../../runner/stages/configuration-error.ts'
import { sha256Of } from '../../runner/store/digest.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import { MAX_LOG_BYTES } from '../../schema/protocol/log.ts'
import { answering, refusal } from '../support/answering.ts'
import { probe } from '../support/probe.ts'

const NONCE = '0'.repeat(32)
const KEY = 'a'.repeat(64)
const tokenOf = (number: number) => `pal_job_${number.toString(16).padStart(32, '0')}`
const leaseOf = (number: number, attempt = 1) => ({
  token: tokenOf(number),
  attempt,
  leaseMs: 1000,
  renewEveryMs: 50,
  checkpointEveryMs: 300_000,
  stageTimeoutMs: 86_400_000,
})
/** Of a held lease, a log asks for its token only. */
const tokenOnly = { write: (send: (token: string) => Promise<unknown>) => send(tokenOf(0)) } as unknown as HeldLease
const job = { key: KEY, lease: leaseOf(0), inputs: {}, spec: {} } as unknown as Job

test('hang-ups and 5xx are tried again, refusals are not', async () => {
  let asked = 0
  const server = await answering(() => {
    asked += 1
    if (asked === 1) return null
    if (asked === 2) return refusal(500, 'internal')
    if (asked === 3) return { body: { kind: 'none', retryAfterMs: 5, standing: 'active' } }
    return refusal(403, 'forbidden')
  })
  const client = createClient({ server })
  const request = { probe, nonce: NONCE }
  expect(await client.lease(request)).toEqual({ kind: 'none', retryAfterMs: 5, standing: 'active' })
  expect(asked).toBe(3)
  await expect(client.lease(request)).rejects.toThrow(RemoteError)
  expect(asked).toBe(4)
})

test('a server that stays away is an UnreachableError that names it', async () => {
  const client = createClient({ server: 'http://127.0.0.1:9', retryForMs: 0 })
  await expect(client.renew(KEY, tokenOf(0), { nonce: NONCE, progress: null })).rejects.toThrow(UnreachableError)
})

test('an answer of another shape says so and is not tried again', async () => {
  let asked = 0
  const server = await answering(() => {
    asked += 1
    return { body: { kind: 'none', retryAfterMs: 'soon', standing: 'active' } }
  })
  const request = { probe, nonce: NONCE }
  await expect(createClient({ server }).lease(request)).rejects.toThrow(
    /unexpected answer: retryAfterMs: expected (number|int), got "soon"/,
  )
  expect(asked).toBe(1)
})

/** An answer to a chunk that is taken as it came. */
const taken = (body: Record<string, unknown>) => ({
  body: {
    sequence: Number(body.sequence) + (body.text === '' ? 0 : 1),
    offset: Number(body.offset) + Buffer.byteLength(String(body.text)),
  },
})
const chunk = { sequence: 0, offset: 0, text: 'x', sha256: sha256Of(Buffer.from('x')) }

test('every write carries the newest fencing token, in one order with the renewals', async () => {
  let newest = 0
  const wrong: unknown[] = []
  const server = await answering(({ path, token, body }) => {
    if (token !== tokenOf(newest)) wrong.push([path, token])
    return path.endsWith('/renew') ? { body: { lease: leaseOf(++newest), cancel: false } } : taken(body)
  })
  const client = createClient({ server })
  const lease = holdLease({ client, job, progress: () => null, onTrouble: () => {} })
  for (let sent = 0; sent < 30; sent++) {
    await Promise.all([1, 2, 3].map(() => lease.write((token) => client.log(KEY, token, chunk))))
    await sleep(10)
  }
  lease.stop()
  expect(wrong).toEqual([])
  expect(newest).toBeGreaterThan(3)
})

test('a renewal whose answer never came is asked again with the same nonce before anything else is written', async () => {
  const asked: unknown[] = []
  let answers = 0
  const server = await answering(({ path, token, body }) => {
    if (path.endsWith('/renew')) {
      asked.push([token, body.nonce])
      // The renewal happened, but nobody hears of it before the lease is over for the client.
      return ++answers < 3 ? refusal(500, 'internal') : { body: { lease: leaseOf(1), cancel: false } }
    }
    return token === tokenOf(1) ? taken(body) : refusal(409, 'stale_lease')
  })
  const client = createClient({ server })
  const lease = holdLease({ client, job, progress: () => null, onTrouble: () => {} })
  await sleep(60)
  await lease.write((token) => client.log(KEY, token, chunk))
  lease.stop()
  expect(new Set(asked.map((one) => JSON.stringify(one))).size).toBe(1)
  expect(lease.signal.aborted).toBe(false)
})

test('a lease that ran out is reclaimed, and the write that met the refusal goes through', async () => {
  const server = await answering(({ path, token, body }) => {
    if (path.endsWith('/reclaim')) return { body: { lease: leaseOf(7, Number(body.attempt) + 1) } }
    if (token !== tokenOf(7)) return refusal(409, 'lease_expired')
    return path.endsWith('/renew') ? { body: { lease: leaseOf(7, 2), cancel: false } } : taken(body)
  })
  const client = createClient({ server })
  const lease = holdLease({ client, job, progress: () => null, onTrouble: () => {} })
  expect(await lease.write((token) => client.log(KEY, token, chunk))).toEqual({ sequence: 1, offset: 1 })
  lease.stop()
  expect(lease.attempt()).toBe(2)
})

test('a lease that cannot be had any more is lost, and nothing is written after it', async () => {
  const paths: string[] = []
  const server = await answering(({ path }) => {
    paths.push(path)
    return refusal(409, 'stale_lease')
  })
  const client = createClient({ server })
  const lease = holdLease({ client, job, progress: () => null, onTrouble: () => {} })
  await new Promise((aborted) => lease.signal.addEventListener('abort', aborted))
  expect(lease.signal.reason).toBeInstanceOf(LeaseLost)
  const asked = paths.length
  await expect(lease.write((token) => client.log(KEY, token, chunk))).rejects.toThrow(LeaseLost)
  lease.stop()
  expect(paths).toHaveLength(asked)
  expect(paths.at(-1)).toBe(`/api/v1/jobs/${KEY}/reclaim`)
})

test('a renewal that says cancel stops the job', async () => {
  const server = await answering(() => ({ body: { lease: leaseOf(1), cancel: true } }))
  const lease = holdLease({ client: createClient({ server }), job, progress: () => null, onTrouble: () => {} })
  await new Promise((aborted) => lease.signal.addEventListener('abort', aborted))
  lease.stop()
  expect(lease.signal.reason).toBeInstanceOf(JobCancelled)
})

test('a log that the server lost a part of is sent again from there, whole characters only', async () => {
  const chunks: Buffer[] = []
  const length = () => chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  let asked = 0
  const server = await answering(({ body }) => {
    asked += 1
    // Every third chunk is lost on its way while its sender hears that it came, and once all of them are gone.
    if (asked % 3 === 0) return taken(body)
    if (asked === 7) chunks.length = 0
    const place = { expectedSequence: chunks.length, expectedOffset: length() }
    if (body.offset !== length() || body.sequence !== chunks.length) return refusal(409, 'log_gap', { details: place })
    expect(sha256Of(Buffer.from(String(body.text)))).toBe(body.sha256)
    chunks.push(Buffer.from(String(body.text)))
    return { body: { sequence: chunks.length, offset: length() } }
  })
  const client = createClient({ server })
  const log = openLog({ client, key: KEY, lease: tokenOnly, onTrouble: () => {} })
  // 40,000 characters of 3 bytes each: more than a chunk, cut inside of no character.
  log.add('€'.repeat(40_000))
  for (let line = 0; line < 2000; line++) log.add(`line ${line} ✓`)
  let sum = await log.settle()
  // What was lost last shows only when the whole is checked.
  for (let tries = 0; length() !== sum.bytes && tries < 10; tries++) {
    const place = { expectedSequence: chunks.length, expectedOffset: length() }
    expect(log.resume(new RemoteError('log_gap', 409, 'log_gap', place))).toBe(true)
    sum = await log.settle()
  }
  log.close()
  expect(sum).toEqual({ bytes: length(), sha256: sha256Of(Buffer.concat(chunks)) })
  const lines = Buffer.concat(chunks).toString().trimEnd().split('\n')
  expect(lines[0]?.slice(9) === '€'.repeat(40_000)).toBe(true)
  expect(lines.slice(1).map((line) => line.slice(9))).toEqual(
    Array.from({ length: 2000 }, (_, line) => `line ${line} ✓`),
  )
})

test('a line and a new progress are on their way within a second, and nothing is sent while there is nothing new', async () => {
  const sent: Record<string, unknown>[] = []
  const server = await answering(({ body }) => {
    sent.push(body)
    return taken(body)
  })
  const log = openLog({ client: createClient({ server }), key: KEY, lease: tokenOnly, onTrouble: () => {} })
  const progress = { phase: 'train', done: 1, total: 2, unit: 'epoch' }
  log.add('one')
  log.progress(progress)
  await sleep(1000)
  expect(sent).toMatchObject([{ sequence: 0, offset: 0, progress }])
  log.progress({ ...progress, done: 2 })
  await sleep(2000)
  expect(sent.slice(1)).toMatchObject([{ sequence: 1, text: '', progress: { done: 2 } }])
  log.close()
})

test('a log is cut at 16 MiB and says so', async () => {
  let text = ''
  const server = await answering(({ body }) => {
    text += body.text
    return taken(body)
  })
  const log = openLog({ client: createClient({ server }), key: KEY, lease: tokenOnly, onTrouble: () => {} })
  for (let line = 0; line < 18 * 16; line++) log.add('x'.repeat(64 * 1024))
  const { bytes } = await log.settle()
  log.close()
  expect(bytes).toBe(text.length)
  expect(text.length).toBeLessThan(MAX_LOG_BYTES + 65 * 1024 + 200)
  expect(text).toMatch(/\[the log is full at 16 MiB: later lines are left out\]\n$/)
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
