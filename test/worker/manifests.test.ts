/** Signed orders and manifests: one changed byte anywhere is refused and named. */
import { beforeEach, expect, test } from 'vitest'
import { canonicalJson, sha256Hex } from '../../schema/parts/hash.ts'
import { type Job, order } from '../../schema/protocol/lease.ts'
import type { StoredManifest } from '../../schema/protocol/manifest.ts'
import { newPrivateKey, publicKeyOf, sign, verify } from '../../schema/signature.ts'
import { type Enrolled, signedResult } from '../support/enrolled.ts'
import { leaseRequest } from '../support/probe.ts'
import {
  ADMIN,
  ask,
  bindings,
  enrol,
  errorOf,
  finish,
  lease,
  leave,
  newNonce,
  read,
  renew,
  resultOf,
  runOf,
  say,
  submit,
  tokenFor,
  useFreshDatabase,
  verb,
  wholeLog,
} from './support.ts'

useFreshDatabase()

let runner: Enrolled
let run: string
let job: Job
beforeEach(async () => {
  runner = await enrol('lab')
  run = (await submit(await tokenFor('submitter', 'ada'), { seeds: [0], method: 'retrain' })).runs[0]!.id
  job = (await lease(runner.token))!
})

const said = async (log = '') => ({ result: resultOf({ artifacts: await leave(job) }), log: await wholeLog(log) })
const hand = async (manifest: string) => verb(job, 'finish', { manifest })
/** Another byte at a place. */
const flip = (text: string, at: number) => {
  const letter = text[at] === 'A' ? 'B' : 'A'
  return text.slice(0, at) + letter + text.slice(at + 1)
}

test('an order is signed for one runner by the key that it pinned', async () => {
  const other = await enrol('other')
  await submit(await tokenFor('submitter'), { seeds: [1], method: 'retrain' })
  const json = leaseRequest(newNonce())
  const answer = await read<{ key: string; order: string }>(
    await ask('/api/v1/jobs/lease', { token: other.token, json }),
  )
  const opened = await verify('job', order, answer.order, runner.serverPublicKey)
  expect(opened).toMatchObject({ key: answer.key, runner: other.id, spec: { kind: 'train', seed: 1 } })
})

test('a manifest says who signed what, and verifies with the key that is shown', async () => {
  const artifacts = await leave(job)
  await read(await say(job, 'one\n'))
  await read(await finish(job, { artifacts }, 'one\n'))
  const stored = await read<StoredManifest>(await ask(`/api/v1/jobs/${job.key}/manifest`))
  expect(stored.runner).toMatchObject({ id: runner.id, name: 'lab', publicKey: publicKeyOf(runner.key) })
  expect(stored.manifest).toEqual({
    job: job.key,
    attempt: 1,
    runner: runner.id,
    specSha256: await sha256Hex(canonicalJson(job.spec)),
    // printf 'one\n' | sha256sum
    log: { bytes: 4, sha256: '2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806' },
    began: [],
    result: resultOf({ artifacts }),
  })
  const page = await (await ask(`/runs/${run}`)).text()
  for (const words of [
    runner.id,
    stored.runner.fingerprint,
    stored.manifest!.specSha256,
    `node runner/palimpsest.js verify ${run}`,
  ]) {
    expect(page).toContain(words)
  }
  expect(page).toContain('verified')
  // What was changed in the database afterwards is seen.
  await bindings.DB.prepare('UPDATE deliveries SET manifest = ? WHERE manifest IS NOT NULL')
    .bind(flip(stored.jws, stored.jws.indexOf('.') + 20))
    .run()
  expect((await read<StoredManifest>(await ask(`/api/v1/jobs/${job.key}/manifest`))).manifest).toBeNull()
  expect(await (await ask(`/runs/${run}`)).text()).toContain('does not verify')
})

test('one flipped byte in a result is refused and named, wherever it is', async () => {
  const manifest = await signedResult(job, await said())
  const [header, payload] = manifest.split('.') as [string, string, string]
  const places = [2, header.length + 2, header.length + payload.length - 40, manifest.length - 40]
  for (const at of places) {
    const refused = await errorOf(await hand(flip(manifest, at)))
    expect(refused, `byte ${at}`).toMatchObject({
      status: 422,
      code: 'bad_signature',
      message: expect.stringContaining(`job ${job.key}: the signature of the result does not match its content`),
    })
  }
  expect((await runOf(run)).stages[0]?.state).toBe('leased')
  await read(await hand(manifest))
})

test('a result by another key, for another job, attempt, runner or spec is refused and named', async () => {
  const stranger = await sign('result', await verifyPayload(), await newPrivateKey())
  expect(await errorOf(await hand(stranger))).toMatchObject({ status: 422, code: 'bad_signature' })
  const changes = [
    { job: 'a'.repeat(64) },
    { attempt: 2 },
    { runner: 'rnr_0000000000000000' },
    { specSha256: 'b'.repeat(64) },
  ]
  for (const change of changes) {
    const refused = await errorOf(await hand(await signedResult(job, await said(), change)))
    const [name, value] = Object.entries(change)[0]!
    expect(refused).toMatchObject({ status: 422, code: 'manifest_mismatch' })
    expect(refused.message).toContain(`the manifest names ${name} ${value}, but this delivery has`)
  }
})

const verifyPayload = async () => ({
  job: job.key,
  attempt: 1,
  runner: runner.id,
  specSha256: await sha256Hex(canonicalJson(job.spec)),
  ...(await said()),
})

test('one flipped byte in a log or an artifact is refused and named', async () => {
  await read(await say(job, 'one\n'))
  const refused = await errorOf(await finish(job, {}, 'onf\n'))
  expect([refused.status, refused.message]).toEqual([expect.any(Number), expect.stringContaining('log')])
  expect(refused.status).toBeGreaterThanOrEqual(400)
  const sha256 = await sha256Hex('weights')
  const headers = { 'content-length': '7' }
  const sent = await ask(`/api/v1/artifacts/${sha256}`, {
    token: job.lease.token,
    method: 'PUT',
    headers,
    body: 'weightt',
  })
  expect(await errorOf(sent)).toMatchObject({
    status: 422,
    code: 'hash_mismatch',
    message: expect.stringContaining(sha256),
  })
})

test('a stolen job token is refused on another run and after the lease', async () => {
  await submit(await tokenFor('submitter'), { seeds: [1], method: 'retrain' })
  const other = (await lease((await enrol('other')).token))!
  const stolen = { ...other, lease: { ...other.lease, token: job.lease.token } }
  for (const answer of [await renew(stolen), await say(stolen, 'x'), await finish(stolen)]) {
    expect(await errorOf(answer)).toMatchObject({ status: 409, code: 'stale_lease' })
  }
  await read(await finish(job))
  for (const answer of [await renew(job), await say(job, 'x')]) {
    expect(await errorOf(answer)).toMatchObject({ status: 409, code: 'stale_lease' })
  }
})

test('a runner that is revoked at work loses its job at once, and nobody is charged for it', async () => {
  await read(await ask(`/api/v1/runners/${runner.id}`, { token: ADMIN, method: 'DELETE' }))
  expect((await runOf(run)).stages[0]).toMatchObject({ state: 'queued', lost: 1, failed: 0 })
  expect((await errorOf(await finish(job))).status).toBe(409)
  expect((await lease((await enrol('next')).token))?.key).toBe(job.key)
})

test('a paused runner gets no jobs and keeps the one it has; a draining one is told to end', async () => {
  const change = (state: string) =>
    ask(`/api/v1/runners/${runner.id}`, { token: ADMIN, method: 'PATCH', json: { state } })
  await submit(await tokenFor('submitter'), { seeds: [1], method: 'retrain' })
  const asked = async () =>
    read(await ask('/api/v1/jobs/lease', { token: runner.token, json: leaseRequest(newNonce()) }))
  await read(await change('paused'))
  expect(await asked()).toMatchObject({ kind: 'none', standing: 'paused' })
  await read(await renew(job))
  await read(await change('draining'))
  expect(await asked()).toMatchObject({ kind: 'none', standing: 'draining' })
  await read(await change('active'))
  expect(await asked()).toMatchObject({ kind: 'job' })
})
