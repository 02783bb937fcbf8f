/** Large artifacts, sent in parts. */
import { beforeEach, expect, test } from 'vitest'
import { sha256Hex } from '../../schema/parts/hash.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import { MAX_BYTES, MAX_WHOLE_BYTES, PART_BYTES } from '../../schema/protocol/upload.ts'
import { ask, bindings, errorOf, lease, read, submit, tokenFor, upload, useFreshDatabase } from './support.ts'

useFreshDatabase()

let runner: string
let job: Job
beforeEach(async () => {
  runner = await tokenFor('runner')
  await submit(await tokenFor('submitter'), { seeds: [0] })
  job = (await lease(runner))!
})

/** 50 MiB and three bytes: four parts, the last one of 2 MiB and three bytes. */
const large = new Uint8Array(MAX_WHOLE_BYTES + 3).map((_, i) => i ^ (i >>> 8) ^ (i >>> 24))
const parts = [1, 2, 3, 4].map((number) => large.slice((number - 1) * PART_BYTES, number * PART_BYTES))

const begin = (sha256: string, bytes: number) =>
  ask(`/api/v1/artifacts/${sha256}/upload`, { token: job.lease.token, json: { bytes } })
const send = async (sha256: string, number: number, content: Uint8Array<ArrayBuffer>, claimed = content) =>
  ask(`/api/v1/artifacts/${sha256}/parts/${number}`, {
    token: job.lease.token,
    method: 'PUT',
    body: content,
    headers: {
      'x-part-sha256': await sha256Hex(claimed),
      'content-length': String(content.byteLength),
    },
  })
const complete = (sha256: string) =>
  ask(`/api/v1/artifacts/${sha256}/complete`, { token: job.lease.token, method: 'POST' })
const get = (sha256: string, headers: Record<string, string> = {}) => ask(`/api/v1/artifacts/${sha256}`, { headers })
const stored = async () => (await bindings.STORE.list({ prefix: 'artifacts/' })).objects

test('a large artifact comes in parts; an upload that was cut off goes on with those that are missing', async () => {
  const sha256 = await sha256Hex(large)
  const answer = { kind: 'parts', partBytes: PART_BYTES }
  expect(await read(await begin(sha256, large.length))).toEqual({ ...answer, stored: [] })
  for (const number of [1, 3]) await read(await send(sha256, number, parts[number - 1]!))
  const early = await errorOf(await complete(sha256))
  expect(early).toMatchObject({ status: 409, code: 'upload_incomplete' })
  expect(early.message).toContain('parts 2, 4 have not come')
  expect((await get(sha256)).status).toBe(404)

  expect(await read(await begin(sha256, large.length))).toEqual({ ...answer, stored: [1, 3] })
  for (const number of [2, 4]) await read(await send(sha256, number, parts[number - 1]!))
  expect(await read(await complete(sha256))).toEqual({ sha256, bytes: large.length })
  expect(await sha256Hex(new Uint8Array(await (await get(sha256)).arrayBuffer()))).toBe(sha256)

  // What is there is not sent again, and a repeated end changes nothing.
  expect(await read(await begin(sha256, large.length))).toEqual({ kind: 'stored' })
  expect(await read(await complete(sha256))).toEqual({ sha256, bytes: large.length })
  expect(await stored()).toHaveLength(1)
})

test('a flipped byte in a part is refused by its number, and the part can be sent again', async () => {
  const sha256 = await sha256Hex(large)
  await read(await begin(sha256, large.length))
  const flipped = parts[1]!.slice()
  flipped[7]! ^= 1
  const refused = await errorOf(await send(sha256, 2, flipped, parts[1]))
  expect(refused).toMatchObject({ status: 422, code: 'hash_mismatch' })
  expect(refused.message).toContain('part 2: expected the SHA-256')
  await read(await send(sha256, 2, parts[1]!))
})

test('parts that hash to something else as a whole are never readable, and nothing of them is kept', async () => {
  const sha256 = await sha256Hex(large)
  await read(await begin(sha256, large.length))
  // Each part is what its own hash says, but they came in another order.
  for (const [number, part] of [parts[1]!, parts[0]!, parts[2]!, parts[3]!].entries()) {
    await read(await send(sha256, number + 1, part))
  }
  const refused = await errorOf(await complete(sha256))
  expect(refused).toMatchObject({ status: 422, code: 'hash_mismatch' })
  expect(refused.message).toContain('as a whole')
  expect((await get(sha256)).status).toBe(404)
  expect(await stored()).toEqual([])
  expect(await read(await begin(sha256, large.length))).toMatchObject({ kind: 'parts', stored: [] })
})

test('parts of another size, beyond the last or without a beginning are refused', async () => {
  const sha256 = await sha256Hex(large)
  expect((await errorOf(await send(sha256, 1, parts[0]!))).code).toBe('upload_incomplete')
  await read(await begin(sha256, large.length))
  expect((await errorOf(await send(sha256, 1, parts[3]!))).message).toContain('part 1: expected 16777216 bytes')
  expect((await errorOf(await send(sha256, 5, parts[0]!))).message).toContain('expected a part from 1 to 4, got 5')
})

test('a whole upload of the same bytes by another runner in between leaves one object', async () => {
  const sha256 = await sha256Hex('weights')
  const first = await upload(job, 'weights')
  expect(await upload(job, 'weights')).toEqual(first)
  expect(await read(await begin(sha256, 7))).toEqual({ kind: 'stored' })
  expect(await stored()).toHaveLength(1)
})

test('small artifacts are sent whole, those over the limit not at all', async () => {
  expect(await read(await begin(await sha256Hex('x'), MAX_WHOLE_BYTES))).toEqual({ kind: 'whole' })
  const refused = await errorOf(await begin(await sha256Hex('y'), MAX_BYTES + 1))
  expect(refused).toMatchObject({ status: 413, code: 'body_too_large' })
})

test('an upload that R2 has given up begins again', async () => {
  const sha256 = await sha256Hex(large)
  await read(await begin(sha256, large.length))
  await read(await send(sha256, 1, parts[0]!))
  const row = await bindings.DB.prepare('SELECT path, upload_id AS id FROM uploads').first<{
    path: string
    id: string
  }>()
  await bindings.STORE.resumeMultipartUpload(row!.path, row!.id).abort()
  expect((await errorOf(await send(sha256, 2, parts[1]!))).code).toBe('upload_incomplete')
  expect(await read(await begin(sha256, large.length))).toMatchObject({ kind: 'parts', stored: [] })
})

test('a range of an artifact is answered with its place, one outside of it is refused', async () => {
  const { sha256 } = await upload(job, '0123456789')
  const middle = await get(sha256, { range: 'bytes=3-5' })
  expect([middle.status, middle.headers.get('content-range'), await middle.text()]).toEqual([
    206,
    'bytes 3-5/10',
    '345',
  ])
  const rest = await get(sha256, { range: 'bytes=8-' })
  expect([rest.headers.get('content-range'), await rest.text()]).toEqual(['bytes 8-9/10', '89'])
  expect(await errorOf(await get(sha256, { range: 'bytes=10-' }))).toMatchObject({
    status: 416,
    code: 'range_not_satisfiable',
  })
})
