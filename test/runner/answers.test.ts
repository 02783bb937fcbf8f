/** What a runner makes of a server of another release: it reads what it knows, refuses what it must not guess, and says what to
 *  do. */
import { expect, test } from 'vitest'
import { apiOf } from '../../runner/agent/api.ts'
import { createClient } from '../../runner/agent/client.ts'
import { remedyFor } from '../../runner/agent/contract.ts'
import type { Identity } from '../../runner/agent/identity.ts'
import { OrderError, openOrder } from '../../runner/agent/order.ts'
import { methods } from '../../runner/science/catalogue/catalogue.ts'
import { version } from '../../runner/words/version.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { engines } from '../../schema/engine.ts'
import { planRun } from '../../schema/plan.ts'
import { HEADER, PROTOCOL, releases } from '../../schema/protocol/version.ts'
import { newPrivateKey, publicKeyOf, sign } from '../../schema/signature.ts'
import { answering, type Body, refusal } from '../support/answering.ts'
import { leaseRequest } from '../support/probe.ts'

const KEY = 'a'.repeat(64)
const NONCE = '0'.repeat(32)
const TOKEN = `pal_job_${NONCE}`
const lease = {
  token: TOKEN,
  attempt: 1,
  leaseMs: 1000,
  renewEveryMs: 500,
  checkpointEveryMs: 1000,
  stageTimeoutMs: 1000,
}
const newer = { [HEADER]: `${PROTOCOL + 1}; since=9.0.0` }

test('what a newer server adds to its answers is left out, at every depth', async () => {
  const added = { added: { by: ['a', 'newer', 'server'] } }
  const server = await answering(({ path }) => {
    if (path.endsWith('/lease')) return { body: { kind: 'none', retryAfterMs: 5, standing: 'active', ...added } }
    if (path.endsWith('/renew')) return { body: { lease: { ...lease, ...added }, cancel: false, ...added } }
    if (path.endsWith('/upload')) return { body: { kind: 'parts', partBytes: 5, stored: [1], ...added } }
    const error = { code: 'log_gap', message: 'a gap', requestId: 'r', details: { expectedOffset: 3 }, ...added }
    return { status: 409, body: { error, ...added } }
  })
  const client = createClient({ server })
  expect(await client.lease(leaseRequest(NONCE))).toEqual({ kind: 'none', retryAfterMs: 5, standing: 'active' })
  expect(await client.renew(KEY, TOKEN, { nonce: NONCE, progress: null })).toEqual({ lease, cancel: false })
  expect(await client.beginUpload(KEY, TOKEN, { bytes: 9 })).toEqual({ kind: 'parts', partBytes: 5, stored: [1] })
  const chunk = { sequence: 0, offset: 0, text: '', sha256: KEY }
  await expect(client.log(KEY, TOKEN, chunk)).rejects.toMatchObject({ code: 'log_gap', details: { expectedOffset: 3 } })
})

test('a board of a newer server is read without what it added to its rows', async () => {
  const benchmark = benchmarks.get('fashion-mnist-5k.small-cnn.random-10')!
  const board = {
    benchmark: { ...benchmark, added: 1 },
    columns: [],
    ordering: { by: 'avg-gap', columns: [], words: '', added: 1 },
    references: [],
    rows: [],
    absent: [],
    generatedAt: '',
  }
  const server = await answering(() => ({ body: board }))
  const read = await apiOf(createClient({ server })).board(benchmark.slug)
  expect(read).toEqual({ ...board, benchmark, ordering: { by: 'avg-gap', columns: [], words: '' } })
})

test.each([
  [
    'newer',
    newer,
    `the server speaks protocol ${PROTOCOL + 1}, as palimpsest 9.0.0 does, and this is palimpsest ${version} (protocol ${PROTOCOL}): update it (git pull && npm ci in its folder) and try again`,
  ],
  [
    'older',
    {},
    `the server speaks protocol 1, as palimpsest 0.1.0 does, and this is palimpsest ${version} (protocol ${PROTOCOL}): ask the server's admin to update it, or use that release here`,
  ],
  ['of the same protocol', { [HEADER]: `${PROTOCOL}; since=${releases[PROTOCOL]}` }, 'report it with this line'],
])('an answer that cannot be read, of a server that is %s, says what to do', async (_, headers, words) => {
  const server = await answering(() => ({ body: { kind: 'none', retryAfterMs: 'soon', standing: 'active' }, headers }))
  const asked = createClient({ server }).lease(leaseRequest(NONCE))
  await expect(asked).rejects.toThrow(/unexpected answer: retryAfterMs: expected (number|int), got "soon"; /)
  await expect(asked).rejects.toThrow(words)
})

test('a request that a server of another release refuses as malformed says what to do', async () => {
  const server = await answering(() => refusal(400, 'invalid_request', { headers: newer }))
  await expect(createClient({ server }).lease(leaseRequest(NONCE))).rejects.toThrow(
    `invalid_request; ${remedyFor({ protocol: PROTOCOL + 1, since: '9.0.0' })}`,
  )
})

test('this release is no older than the protocol that it speaks', () => {
  const since = releases[PROTOCOL]!
  expect(version.localeCompare(since, 'en', { numeric: true })).toBeGreaterThanOrEqual(0)
})

async function orders() {
  const serverKey = await newPrivateKey()
  const identity: Identity = {
    id: 'rnr_0123456789abcdef',
    name: 'lab',
    server: '',
    serverPublicKey: publicKeyOf(serverKey),
    privateKey: await newPrivateKey(),
  }
  const given: Body[] = []
  const server = await answering(({ body }) => {
    given.push(body)
    return { body: { state: 'queued' } }
  })
  const benchmark = benchmarks.get('fashion-mnist-5k.small-cnn.random-10')!
  const { version } = methods.get('ft')!
  const [{ key, spec } = { key: '', spec: null }] = await planRun(benchmark, { id: 'ft', version }, {}, 0)
  const said = { key, runner: identity.id, spec, inputs: {}, checkpoint: null, metrics: [] }
  const open = async (change: Body) => {
    const order = await sign('job', { ...said, ...change }, serverKey)
    return openOrder({ kind: 'job', key, order, lease }, { client: createClient({ server }), identity })
  }
  return { said, spec, open, given }
}

test('an order is read without what is new around its stage', async () => {
  const { said, open } = await orders()
  expect(await open({ added: 1 })).toEqual({ ...said, lease })
})

test('a stage that says more than this release knows is refused, given back, and never stripped to one that it knows', async () => {
  const { spec, open, given } = await orders()
  const stages: [object, string][] = [
    [{ ...spec, rank: 4 }, 'spec.rank: unknown'],
    [{ ...spec, kind: 'dream' }, 'spec.kind'],
  ]
  for (const [stage, words] of stages) {
    const opened = open({ spec: stage })
    await expect(opened).rejects.toThrow(OrderError)
    await expect(opened).rejects.toThrow(words)
    await expect(opened).rejects.toThrow(
      `palimpsest ${version} (protocol ${PROTOCOL}) with ${engines().join(', ')} does not know this stage`,
    )
    expect(given.at(-1)).toMatchObject({ outcome: 'released', reason: 'configuration' })
  }
  expect(given).toHaveLength(stages.length)
})

test('a stage key that no engine of this release gives is refused with the engines that it has', async () => {
  const { spec, open } = await orders()
  const other = { ...spec, seed: 7 }
  await expect(open({ spec: other })).rejects.toThrow(
    `does not hash to the stage key by any engine of palimpsest ${version}`,
  )
})
