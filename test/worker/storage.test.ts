/** Artifacts that are sent whole, by their hash. */
import { beforeEach, expect, test } from 'vitest'
import { sha256Hex } from '../../schema/parts/hash.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import { MAX_WHOLE_BYTES } from '../../schema/protocol/upload.ts'
import { ask, errorOf, lease, submit, tokenFor, upload, useFreshDatabase } from './support.ts'

useFreshDatabase()

let runner: string
let job: Job
beforeEach(async () => {
  runner = await tokenFor('runner')
  await submit(await tokenFor('submitter'), { seeds: [0] })
  job = (await lease(runner))!
})

const put = (sha256: string, body: string, headers: Record<string, string> = {}) =>
  ask(`/api/v1/artifacts/${sha256}`, {
    token: job.lease.token,
    method: 'PUT',
    body,
    headers: {
      'content-length': String(new TextEncoder().encode(body).byteLength),
      ...headers,
    },
  })

test('an uploaded artifact can be read by anyone under its hash', async () => {
  const { sha256, bytes } = await upload(job, 'weights')
  expect(bytes).toBe(7)
  const answer = await ask(`/api/v1/artifacts/${sha256}?name=weights.bin`)
  expect(await answer.text()).toBe('weights')
  expect(answer.headers.get('content-disposition')).toContain('weights.bin')
  const head = await ask(`/api/v1/artifacts/${sha256}`, { method: 'HEAD' })
  expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '7', ''])
})

test('uploading the same bytes twice is fine', async () => {
  const first = await upload(job, 'weights')
  expect(await upload(job, 'weights')).toEqual(first)
})

test('bytes that hash to something else are refused and not kept', async () => {
  const sha256 = await sha256Hex('weights')
  expect(await errorOf(await put(sha256, 'wEights'))).toMatchObject({ status: 422, code: 'hash_mismatch' })
  expect((await ask(`/api/v1/artifacts/${sha256}`)).status).toBe(404)
})

test('a file over the limit is refused before it is read', async () => {
  const answer = await put(await sha256Hex('x'), 'x', { 'content-length': String(MAX_WHOLE_BYTES + 1) })
  expect(await errorOf(answer)).toMatchObject({ status: 413, code: 'body_too_large' })
})
