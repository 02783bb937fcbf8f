/** Enrolment of runners and their access tokens, with requests that are lost, doubled and forged. */
import { CompactSign } from 'jose'
import { expect, test } from 'vitest'
import { newPrivateKey, type sign } from '../../schema/signature.ts'
import { aboveP, forged, smallOrder, smallOrderOtherwise } from '../support/edwards25519.ts'
import { assertionOf, type Enrolled, enrolled, enrolmentBody, type Post } from '../support/enrolled.ts'
import { leaseRequest } from '../support/probe.ts'
import { ADMIN, ask, bindings, errorOf, read, tokenFor, useClock, useFreshDatabase } from './support.ts'

useFreshDatabase()
const wait = useClock('2026-11-01T12:00:00Z')

const post: Post = async (path, token, json) => {
  const answer = await ask(path, { token, json })
  return read(answer, answer.ok ? answer.status : 200)
}
const invite = async (json: Record<string, unknown> = {}) =>
  post<{ id: string; secret: string; expiresAt: string }>('/api/v1/enrolments', ADMIN, json)
const enrol = async (secret: string, key?: Awaited<ReturnType<typeof newPrivateKey>>) =>
  ask('/api/v1/runners/enrol', { json: await enrolmentBody(secret, key ?? (await newPrivateKey())) })
/** A signature of a text that `sign` would have put into JSON. */
const signedText = async (...[purpose, text, key, keyId]: [...Parameters<typeof sign>]): Promise<string> =>
  new CompactSign(new TextEncoder().encode(String(text)))
    .setProtectedHeader({ alg: 'EdDSA', typ: `palimpsest-${purpose}+jws`, ...(keyId !== undefined && { kid: keyId }) })
    .sign(key)
const trade = (assertion: string) => ask('/api/v1/runners/access', { json: { assertion } })
const leaseWith = (token: string) => ask('/api/v1/jobs/lease', { token, json: leaseRequest('0'.repeat(32)) })

test('only an admin makes enrolments, and the secret is kept as a hash only', async () => {
  for (const token of [undefined, await tokenFor('submitter')]) {
    expect((await ask('/api/v1/enrolments', { token, json: {} })).status).toBe(token ? 403 : 401)
  }
  const { secret, expiresAt } = await invite({ labels: ['gpu', 'a100', 'gpu'] })
  expect(secret).toMatch(/^pal_enrol_[0-9a-f]{48}$/)
  expect(expiresAt).toBe('2026-11-01T13:00:00.000Z')
  await read(await enrol(secret), 201)
  const listed = await (await ask('/api/v1/runners', { token: ADMIN })).text()
  expect(JSON.parse(listed).runners).toMatchObject([
    { name: 'lab', state: 'active', labels: ['a100', 'gpu'], jobs: [] },
  ])
  expect(listed).not.toContain(secret)
})

test('an enrolment secret works once: of ten machines at once, one wins', async () => {
  const { secret } = await invite()
  const answers = await Promise.all(Array.from({ length: 10 }, () => enrol(secret)))
  expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(403)])
  const loser = answers.find(({ status }) => status === 403)!
  expect(await errorOf(loser)).toMatchObject({
    code: 'enrolment_refused',
    message: expect.stringContaining('was used at 2026-11-01T12:00:00.000Z by another machine, and works once'),
  })
  const { runners } = await read<{ runners: unknown[] }>(await ask('/api/v1/runners', { token: ADMIN }))
  expect(runners).toHaveLength(1)
})

test('an enrolment whose answer was lost is asked again with the same key', async () => {
  const { secret } = await invite()
  const key = await newPrivateKey()
  const first = await read<{ id: string }>(await enrol(secret, key), 201)
  wait(7200)
  expect(await read<{ id: string }>(await enrol(secret, key), 201)).toEqual(first)
})

test('an expired secret, an unknown one, and one without the key that belongs to it are refused', async () => {
  const { secret } = await invite({ expiresInSeconds: 60 })
  const key = await newPrivateKey()
  const stolen = {
    ...(await enrolmentBody(secret, key)),
    publicKey: (await enrolmentBody(secret, await newPrivateKey())).publicKey,
  }
  expect(await errorOf(await ask('/api/v1/runners/enrol', { json: stolen }))).toMatchObject({ code: 'bad_signature' })
  const { secret: other } = await invite()
  const foreign = { ...(await enrolmentBody(secret, key)), secret: other }
  expect(await errorOf(await ask('/api/v1/runners/enrol', { json: foreign }))).toMatchObject({
    code: 'bad_signature',
    message: expect.stringContaining('another enrolment secret'),
  })
  wait(61)
  expect(await errorOf(await enrol(secret))).toMatchObject({
    status: 403,
    message: expect.stringContaining('expired at 2026-11-01T12:01:00.000Z; it is 2026-11-01T12:01:01.000Z here'),
  })
  expect(await errorOf(await enrol(`pal_enrol_${'0'.repeat(48)}`))).toMatchObject({
    status: 403,
    message: expect.stringContaining('unknown here'),
  })
})

test('a key under which anybody can sign is refused, and the secret stays good', async () => {
  const { secret } = await invite()
  const proof = forged({ alg: 'EdDSA', typ: 'palimpsest-enrolment+jws' }, JSON.stringify({ secretSha256: 'a' }))
  for (const { x } of [...smallOrder, ...smallOrderOtherwise, ...aboveP]) {
    const json = { secret, name: 'lab', publicKey: { kty: 'OKP', crv: 'Ed25519', x }, proof }
    expect(await errorOf(await ask('/api/v1/runners/enrol', { json }))).toMatchObject({
      status: 400,
      message: expect.stringMatching(/^publicKey\.x: expected a (y below|point of large order)/),
    })
  }
  await read(await enrol(secret), 201)
})

test('a proof that is signed but no JSON is refused', async () => {
  const { secret } = await invite()
  const key = await newPrivateKey()
  for (const proof of [await signedText('enrolment', 'not JSON', key), 'x', 'a.b.c']) {
    const json = { ...(await enrolmentBody(secret, key)), proof }
    expect(await errorOf(await ask('/api/v1/runners/enrol', { json }))).toMatchObject({
      status: 422,
      message: expect.stringMatching(/^proof: the sign/),
    })
  }
})

let runner: Enrolled
const refusalOf = async (change: Record<string, unknown>, by: Partial<Enrolled> = {}) =>
  errorOf(await trade(await assertionOf({ ...runner, ...by }, change)))

test('an assertion gives an access token for 15 minutes', async () => {
  runner = await enrolled(post, ADMIN, 'lab')
  expect((await leaseWith(runner.token)).status).toBe(200)
  wait(15 * 60 - 1)
  expect((await leaseWith(runner.token)).status).toBe(200)
  wait(1)
  expect(await errorOf(await leaseWith(runner.token))).toMatchObject({ status: 401, code: 'access_expired' })
})

test('an assertion by another key, of another runner or for another server is refused', async () => {
  runner = await enrolled(post, ADMIN, 'lab')
  const other = await enrolled(post, ADMIN, 'other')
  expect(await refusalOf({}, { key: other.key })).toMatchObject({
    status: 401,
    message: expect.stringContaining('signature'),
  })
  expect(await refusalOf({ iss: other.id })).toMatchObject({ status: 401, code: 'unauthorized' })
  expect(await refusalOf({ aud: 'A'.repeat(43) })).toMatchObject({ status: 401, code: 'unauthorized' })
  expect(await refusalOf({}, { id: 'rnr_0000000000000000' })).toMatchObject({
    status: 401,
    message: 'no runner "rnr_0000000000000000" is known here; enrol this machine',
  })
  // Nor is an assertion an access token.
  expect((await leaseWith(await assertionOf(runner))).status).toBe(401)
})

test('an assertion that was used, or that lives longer than a minute, is refused', async () => {
  runner = await enrolled(post, ADMIN, 'lab')
  const assertion = await assertionOf(runner)
  await read(await trade(assertion))
  expect(await errorOf(await trade(assertion))).toMatchObject({ status: 401, code: 'assertion_replayed' })
  // At once too: one of two wins.
  const twice = await assertionOf(runner)
  const answers = await Promise.all([trade(twice), trade(twice)])
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 401])
  // As long as it could be accepted by its times, it is remembered.
  wait(89)
  expect(await errorOf(await trade(assertion))).toMatchObject({ code: 'assertion_replayed' })
  wait(2)
  expect(await errorOf(await trade(assertion))).toMatchObject({ code: 'clock_skew' })
  const seconds = Math.floor(Date.now() / 1000)
  expect(await refusalOf({ iat: seconds, exp: seconds + 61 })).toMatchObject({
    message: 'an assertion may live 60 s, this one lives 61 s',
  })
})

test('an assertion whose key was stored before such keys were refused needs a private key all the same', async () => {
  runner = await enrolled(post, ADMIN, 'lab')
  const publicKey = JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x: smallOrder[0]!.x })
  await bindings.DB.prepare('UPDATE runners SET public_key = ?').bind(publicKey).run()
  const claims = (await assertionOf(runner)).split('.')[1]!
  const assertion = forged({ alg: 'EdDSA', typ: 'palimpsest-assertion+jws', kid: runner.id }, atob(claims))
  expect(await errorOf(await trade(assertion))).toMatchObject({
    status: 401,
    message: expect.stringContaining('the key that should have signed the assertion is not believed'),
  })
})

test('an assertion that names its runner by a number, or a time beyond all calendars, is refused', async () => {
  runner = await enrolled(post, ADMIN, 'lab')
  const kid = forged({ alg: 'EdDSA', typ: 'palimpsest-assertion+jws', kid: 7 }, '{}')
  expect(await errorOf(await trade(kid))).toMatchObject({
    status: 401,
    message: 'the assertion names no runner (kid); enrol this machine',
  })
  for (const iat of [9e15, -1, 253_402_300_800]) {
    expect(await refusalOf({ iat, exp: iat })).toMatchObject({ status: 401, message: expect.stringContaining('iat: ') })
  }
  // The last second that has a date: it is only far ahead.
  const last = 253_402_300_799
  expect(await refusalOf({ iat: last, exp: last })).toMatchObject({
    code: 'clock_skew',
    message: expect.stringContaining('9999-12-31T23:59:59.000Z'),
  })
  const text = await signedText('assertion', '[', runner.key, runner.id)
  expect(await errorOf(await trade(text))).toMatchObject({ status: 401, code: 'unauthorized' })
})

test('a clock that is 5 minutes off is explained, and the answer says the time', async () => {
  runner = await enrolled(post, ADMIN, 'lab')
  const seconds = Math.floor(Date.now() / 1000)
  const ahead = await trade(await assertionOf(runner, { iat: seconds + 300, exp: seconds + 360 }))
  expect(ahead.headers.get('date')).toBe('Sun, 01 Nov 2026 12:00:00 GMT')
  expect(await errorOf(ahead)).toEqual({
    status: 401,
    code: 'clock_skew',
    message:
      "the assertion was made at 2026-11-01T12:05:00.000Z by the runner's clock, and it is 2026-11-01T12:00:00.000Z here: the runner's clock is 300 s ahead; the Date header of this answer is the time to sign with",
  })
  const behind = await trade(await assertionOf(runner, { iat: seconds - 300, exp: seconds - 240 }))
  expect((await errorOf(behind)).message).toContain("the assertion has expired, or the runner's clock is 300 s behind")
})

test('a revoked runner is refused at once, with its access token and with a new assertion, for good', async () => {
  runner = await enrolled(post, ADMIN, 'lab')
  const path = `/api/v1/runners/${runner.id}`
  expect(await read(await ask(path, { token: ADMIN, method: 'DELETE' }))).toMatchObject({ state: 'revoked' })
  expect(await errorOf(await leaseWith(runner.token))).toMatchObject({ status: 403, code: 'runner_revoked' })
  expect(await errorOf(await trade(await assertionOf(runner)))).toMatchObject({ status: 403, code: 'runner_revoked' })
  const resume = await ask(path, { token: ADMIN, method: 'PATCH', json: { state: 'active' } })
  expect(await errorOf(resume)).toMatchObject({ status: 409, code: 'conflict' })
})

test('an admin names and labels a runner; nobody else may look or change', async () => {
  runner = await enrolled(post, ADMIN, 'lab')
  const path = `/api/v1/runners/${runner.id}`
  const change = (token: string, json: Record<string, unknown>) => ask(path, { token, method: 'PATCH', json })
  expect(await read(await change(ADMIN, { name: 'lab-2', labels: ['b', 'a'] }))).toMatchObject({
    name: 'lab-2',
    labels: ['a', 'b'],
  })
  for (const token of [runner.token, await tokenFor('submitter')]) {
    expect([401, 403]).toContain((await change(token, { name: 'mine' })).status)
    expect([401, 403]).toContain((await ask('/api/v1/runners', { token })).status)
  }
  expect((await change(ADMIN, {})).status).toBe(400)
  expect((await change(ADMIN, { state: 'revoked' })).status).toBe(400)
  expect((await change(ADMIN, { labels: ['No Spaces'] })).status).toBe(400)
  expect((await ask('/api/v1/runners/rnr_0', { token: ADMIN, method: 'PATCH', json: { name: 'x' } })).status).toBe(404)
})
