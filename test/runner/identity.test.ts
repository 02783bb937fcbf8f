/** How a runner is enrolled, proves who it is, and checks that orders are its server's. */
import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { runnerAccess } from '../../runner/agent/access.ts'
import { createClient } from '../../runner/agent/client.ts'
import { enrol, type Identity, identityFor, identityPath } from '../../runner/agent/identity.ts'
import { openOrder } from '../../runner/agent/order.ts'
import { benchmarks } from '../../runner/pipeline/catalogue.ts'
import { methods } from '../../runner/science/catalogue/catalogue.ts'
import { planRun } from '../../schema/plan.ts'
import { assertion } from '../../schema/protocol/access.ts'
import { proof } from '../../schema/protocol/enrol.ts'
import {
  fingerprintOf,
  newPrivateKey,
  type PrivateKey,
  type PublicKey,
  publicKeyOf,
  sign,
  verify,
} from '../../schema/signature.ts'
import { answering, type Body, refusal } from '../support/answering.ts'
import { cleanUp, temporaryFolder } from '../support/cli.ts'

afterAll(cleanUp)

const SECRET = `pal_enrol_${'1'.repeat(48)}`

let serverKey: PrivateKey
let home: string
beforeEach(async () => {
  serverKey = await newPrivateKey()
  home = await temporaryFolder()
})

const answerToEnrol = (id = 'rnr_0123456789abcdef') => ({ id, name: 'lab', serverPublicKey: publicKeyOf(serverKey) })
const answerToKey = async () => ({
  body: { publicKey: publicKeyOf(serverKey), fingerprint: await fingerprintOf(publicKeyOf(serverKey)) },
})

test('an identity is written for its owner only, proves the secret, and is found by the key of the server', async () => {
  const server = await answering(async ({ path, body }) => {
    if (path.endsWith('/server-key')) return answerToKey()
    const { secretSha256 } = await verify('enrolment', proof, String(body.proof), body.publicKey as PublicKey)
    // printf %s pal_enrol_111... | sha256sum
    expect(secretSha256).toBe('7f5b0096a8d44fab0cd108e91dea20595d68d33ad2b075068bb0c42a24f7aa4a')
    return { status: 201, body: answerToEnrol() }
  })
  const client = createClient({ server })
  expect(await identityFor(home, client)).toBeNull()
  const identity = await enrol({ home, client }, { secret: SECRET, name: 'lab' })
  expect((await stat(identityPath(home))).mode & 0o777).toBe(0o600)
  expect(await identityFor(home, client)).toEqual(identity)
  // Another server, or another key at the same address, is not the one that was pinned.
  serverKey = await newPrivateKey()
  expect(await identityFor(home, client)).toBeNull()
})

test('an enrolment that was cut off is repeated with the same key, and leaves no secret behind', async () => {
  const keys: unknown[] = []
  let answers = false
  const server = await answering(({ body }) => {
    keys.push((body.publicKey as PublicKey).x)
    return answers ? { status: 201, body: answerToEnrol() } : null
  })
  const client = createClient({ server, retryForMs: 0 })
  await expect(enrol({ home, client }, { secret: SECRET, name: 'lab' })).rejects.toThrow(server)
  expect(await readFile(identityPath(home), 'utf8')).not.toContain(SECRET)
  answers = true
  await enrol({ home, client }, { secret: SECRET, name: 'lab' })
  expect(new Set(keys).size).toBe(1)
  expect(JSON.parse(await readFile(identityPath(home), 'utf8'))).not.toHaveProperty('pending')
})

test('an identity that others can read is refused', async () => {
  const server = await answering(async ({ path }) =>
    path.endsWith('/server-key') ? answerToKey() : { body: answerToEnrol() },
  )
  const client = createClient({ server })
  await enrol({ home, client }, { secret: SECRET, name: 'lab' })
  await chmod(identityPath(home), 0o640)
  await expect(identityFor(home, client)).rejects.toThrow(`run: chmod 600 ${identityPath(home)}`)
  await chmod(identityPath(home), 0o600)
  await writeFile(identityPath(home), '{}')
  await expect(identityFor(home, client)).rejects.toThrow('expected the identity that this command wrote there')
})

const identityOf = async (): Promise<Identity> => ({
  ...answerToEnrol(),
  server: 'http://127.0.0.1',
  privateKey: await newPrivateKey(),
})

test('an access token is kept, and traded anew before it expires and when it is refused', async () => {
  const identity = await identityOf()
  let traded = 0
  let refused = ''
  const server = await answering(async ({ path, body, token }) => {
    if (path.endsWith('/access')) {
      const claims = await verify('assertion', assertion, String(body.assertion), publicKeyOf(identity.privateKey))
      expect(claims).toMatchObject({ iss: identity.id, aud: await fingerprintOf(publicKeyOf(serverKey)) })
      expect(claims.exp - claims.iat).toBe(60)
      traded += 1
      // The second lives for the margin only, so it is never kept.
      return { body: { token: `token-${traded}`, expiresInMs: traded === 2 ? 60_000 : 900_000 } }
    }
    if (token === refused) return refusal(401, 'access_expired')
    return { body: { kind: 'none', token } }
  })
  const access = runnerAccess({ client: createClient({ server }), identity, onTrouble: () => {} })
  expect(await Promise.all([access.token(), access.token()])).toEqual(['token-1', 'token-1'])
  expect(await access.token()).toBe('token-1')
  refused = 'token-1'
  const client = createClient({ server, access })
  const asked = () => client.json('/anything', z.object({ token: z.string() }))
  expect(await asked()).toEqual({ token: 'token-2' })
  expect(await asked()).toEqual({ token: 'token-3' })
  expect(await asked()).toEqual({ token: 'token-3' })
})

test('a clock that is 5 minutes off is corrected by the server, and said once', async () => {
  const identity = await identityOf()
  const ages: number[] = []
  const server = await answering(async ({ body }) => {
    // By this server it is 5 minutes later.
    const now = Date.now() + 300_000
    const { iat } = await verify('assertion', assertion, String(body.assertion), publicKeyOf(identity.privateKey))
    ages.push(Math.round(now / 1000 - iat))
    if (Math.abs(now / 1000 - iat) > 30)
      return refusal(401, 'clock_skew', { headers: { date: new Date(now).toUTCString() } })
    return { body: { token: 'token', expiresInMs: 0 } }
  })
  const troubles: string[] = []
  const client = createClient({ server })
  const access = runnerAccess({ client, identity, onTrouble: (message) => troubles.push(message) })
  expect(await access.token()).toBe('token')
  expect(await access.token()).toBe('token')
  expect(ages[0]).toBeGreaterThanOrEqual(299)
  for (const age of ages.slice(1)) expect(Math.abs(age)).toBeLessThanOrEqual(2)
  expect(ages).toHaveLength(3)
  expect(troubles).toEqual([expect.stringMatching(/clock is (299|300|301) s behind the server's/)])
})

test('an assertion whose answer was lost is not sent again: a new one is', async () => {
  const identity = await identityOf()
  const seen = new Set<string>()
  let asked = 0
  const server = await answering(async ({ path, body }) => {
    if (!path.endsWith('/access')) return { body: { fine: true } }
    asked += 1
    const { jti } = await verify('assertion', assertion, String(body.assertion), publicKeyOf(identity.privateKey))
    if (seen.has(jti)) return refusal(401, 'assertion_replayed')
    seen.add(jti)
    return asked === 1 ? null : { body: { token: 'token', expiresInMs: 900_000 } }
  })
  const access = runnerAccess({ client: createClient({ server }), identity, onTrouble: () => {} })
  expect(await createClient({ server, access }).json('/anything', z.object({ fine: z.boolean() }))).toEqual({
    fine: true,
  })
  expect([asked, seen.size]).toEqual([2, 2])
})

test('one flipped byte in an order, another server, runner or spec: nothing is run, the job is given back, and it is said why', async () => {
  const identity = await identityOf()
  const given: Body[] = []
  const server = await answering(({ body }) => {
    given.push(body)
    return { body: { state: 'queued' } }
  })
  const context = { client: createClient({ server }), identity }
  const { version } = methods.get('ft')!
  const benchmark = benchmarks.get('fashion-mnist-5k.small-cnn.random-10')!
  const [{ key, spec } = { key: '', spec: null }] = await planRun(benchmark, { id: 'ft', version }, {}, 0)
  const token = `pal_job_${'0'.repeat(32)}`
  const lease = { token, attempt: 1, leaseMs: 1000, renewEveryMs: 500, checkpointEveryMs: 1000, stageTimeoutMs: 1000 }
  const said = { key, runner: identity.id, spec, inputs: {}, checkpoint: null, metrics: [] }
  const open = async (order: string) => openOrder({ kind: 'job', key, order, lease }, context)
  const order = await sign('job', said, serverKey)
  expect(await open(order)).toEqual({ ...said, lease })
  const at = order.indexOf('.') + 30
  const refused = [
    [`${order.slice(0, at)}${order[at] === 'A' ? 'B' : 'A'}${order.slice(at + 1)}`, 'does not match its content'],
    [await sign('job', said, await newPrivateKey()), 'does not match its content'],
    [await sign('result', said, serverKey), 'expected a signature of type palimpsest-job+jws'],
    [
      await sign('job', { ...said, runner: 'rnr_0000000000000000' }, serverKey),
      'signed for the runner rnr_0000000000000000',
    ],
    [await sign('job', { ...said, key: 'a'.repeat(64) }, serverKey), `signed for the stage ${'a'.repeat(64)}`],
    [await sign('job', { ...said, spec: { ...spec, seed: 1 } }, serverKey), 'does not hash to the stage key'],
  ]
  for (const [text, words] of refused) await expect(open(text!)).rejects.toThrow(words)
  expect(given).toHaveLength(refused.length)
  for (const [index, body] of given.entries()) {
    expect(body).toMatchObject({ outcome: 'released', message: expect.stringContaining(refused[index]![1]!) })
    expect(body.message).toContain(`the order of job ${key.slice(0, 12)} is refused`)
  }
})
