import { beforeEach, expect, test } from 'vitest'
import type { Job } from '../../schema/protocol/lease.ts'
import { MAX_WHOLE_BYTES } from '../../schema/protocol/upload.ts'
import { sha256Hex } from '../../schema/stage.ts'
import { ask, bindings, errorOf, lease, read, submit, tokenFor, upload, useFreshDatabase, verb } from './support.ts'

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
    token: runner,
    method: 'PUT',
    body,
    headers: {
      'x-job-key': job.key,
      'x-lease-token': job.lease.token,
      'content-length': String(new TextEncoder().encode(body).byteLength),
      ...headers,
    },
  })

test('an uploaded artifact can be read by anyone under its hash', async () => {
  const { sha256, bytes } = await upload(runner, job, 'weights')
  expect(bytes).toBe(7)
  const answer = await ask(`/api/v1/artifacts/${sha256}?name=weights.bin`)
  expect(await answer.text()).toBe('weights')
  expect(answer.headers.get('content-disposition')).toContain('weights.bin')
  const head = await ask(`/api/v1/artifacts/${sha256}`, { method: 'HEAD' })
  expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '7', ''])
})

test('uploading the same bytes twice is fine', async () => {
  const first = await upload(runner, job, 'weights')
  expect(await upload(runner, job, 'weights')).toEqual(first)
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

test('log chunks are appended in order and read back as text', async () => {
  const append = (offset: number, text: string) => verb(runner, job, 'log', { offset, text })
  expect(await read(await append(0, 'epoch 1\n'))).toEqual({ offset: 8 })
  // "é" is two bytes in UTF-8.
  expect(await read(await append(8, 'fin é\n'))).toEqual({ offset: 15 })
  expect(await (await ask(`/api/v1/jobs/${job.key}/log`)).text()).toBe('epoch 1\nfin é\n')
  expect(await (await ask(`/api/v1/jobs/${job.key}/log?from=8`)).text()).toBe('fin é\n')
})

test('a chunk that leaves a gap is refused with the expected offset; a repeated one is accepted once', async () => {
  const append = (offset: number, text: string) => verb(runner, job, 'log', { offset, text })
  await read(await append(0, 'epoch 1\n'))
  const gap = await errorOf(await append(9, 'x'))
  expect(gap).toMatchObject({ status: 409, code: 'log_gap' })
  expect(gap.message).toContain('expected offset 8, got 9')
  expect(await read(await append(0, 'epoch 1\n'))).toEqual({ offset: 8 })
  expect((await errorOf(await append(0, 'another\n'))).code).toBe('log_gap')
  expect(await (await ask(`/api/v1/jobs/${job.key}/log`)).text()).toBe('epoch 1\n')
})

test('the same chunk sent ten times at once is stored once', async () => {
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => verb(runner, job, 'log', { offset: 0, text: 'once\n' })),
  )
  expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(0)
  expect(await (await ask(`/api/v1/jobs/${job.key}/log`)).text()).toBe('once\n')
  const { objects } = await bindings.STORE.list({ prefix: 'logs/' })
  expect(objects).toHaveLength(1)
})
