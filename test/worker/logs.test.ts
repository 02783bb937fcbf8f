/** Logs in chunks: lines found by number, and chunks that are missing, doubled or damaged. */
import { beforeEach, expect, test } from 'vitest'
import { sha256Hex } from '../../schema/parts/hash.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import { databaseOf } from '../../worker/bindings/database.ts'
import { joinLog, streamLog } from '../../worker/queries/logs/log-pieces.ts'
import { logSizes, readLines, readTail } from '../../worker/queries/logs/read-log.ts'
import {
  ask,
  bindings,
  errorOf,
  fail,
  finish,
  lease,
  read,
  runOf,
  say,
  submit,
  tokenFor,
  useFreshDatabase,
  verb,
} from './support.ts'

useFreshDatabase()

let runner: string
let run: string
let job: Job
beforeEach(async () => {
  const submitter = await tokenFor('submitter')
  runner = await tokenFor('runner')
  run = (await submit(submitter, { method: 'retrain', seeds: [0] })).runs[0]!.id
  job = (await lease(runner))!
})

/** Sends a text in chunks of these lengths, the rest as the last. */
async function write(text: string, ...lengths: number[]): Promise<void> {
  const cuts = [...lengths, text.length]
  let sequence = 0
  let offset = 0
  let at = 0
  for (const length of cuts) {
    const piece = text.slice(at, at + length)
    if (piece === '') break
    await read(await say(job, piece, { sequence, offset }))
    sequence += 1
    offset += new TextEncoder().encode(piece).byteLength
    at += length
  }
}
const page = async (path: string) => {
  const answer = await ask(path)
  expect(answer.status).toBe(200)
  return answer.text()
}

test('lines are found by number, however chunks cut them', async () => {
  const lines = Array.from({ length: 40 }, (_, index) => `line ${index + 1} é`)
  // Cuts inside of lines, at line breaks, and one chunk without any break.
  await write(`${lines.join('\n')}\nnot ended`, 3, 2, 30, 1, 90, 17)
  const db = databaseOf(bindings.DB)
  const [size] = (await logSizes(db, [job.key])).get(job.key)!
  const text = `${lines.join('\n')}\n`
  const bytes = new TextEncoder().encode(text).byteLength
  expect(size).toEqual({ attempt: 1, bytes: bytes + 9, lines: 40 })
  const all = [...lines, 'not ended']
  for (let first = 1; first <= 41; first++) {
    for (const most of [1, 3, 50]) {
      const found = await readLines(db, bindings.STORE, job.key, { attempt: 1, first, most })
      expect(found.lines).toEqual(all.slice(first - 1, first - 1 + most))
    }
  }
  expect(await readTail(db, bindings.STORE, job.key, size!, 5)).toEqual({ first: 36, lines: all.slice(35), end: bytes })
})

test('a log page holds 1000 lines under their numbers, and names the pages beside it', async () => {
  const text = Array.from({ length: 2500 }, (_, index) => `line ${index + 1}\n`).join('')
  await write(text, 10_000, 10_000)
  // While the stage runs, its newest page comes first.
  const newest = await page(`/runs/${run}/log/1`)
  expect(newest.match(/<li id="L\d+"/g)).toHaveLength(500)
  expect(newest).toContain('Page 3 of 3')
  const second = await page(`/runs/${run}/log/1?page=2`)
  expect(second.match(/<li id="L(\d+)"/g)?.at(0)).toBe('<li id="L1001"')
  expect(second.match(/<li id="L(\d+)"/g)?.at(-1)).toBe('<li id="L2000"')
  expect(second).toContain('</a>line 1500</li>')
  expect(second).toContain(`<a href="/runs/${run}/log/1?page=3">Later</a>`)
  expect((await errorOf(await ask(`/api/v1/jobs/${job.key}/log?attempt=x`))).code).toBe('invalid_request')
  for (const path of ['log/9', 'log/x', 'log/1?page=4', 'log/1?attempt=2']) {
    expect([path, (await ask(`/runs/${run}/${path}`)).status]).toEqual([path, 404])
  }
})

test('a run shows the last 100 lines of what runs, and each delivery keeps a log of its own', async () => {
  await write(Array.from({ length: 130 }, (_, index) => `first ${index + 1}\n`).join(''))
  const running = await page(`/runs/${run}`)
  expect(running.match(/<li id="s1-L\d+"/g)).toHaveLength(100)
  expect(running).toContain('<li id="s1-L31"')
  const failure = { outcome: 'failed', reason: 'out_of_memory', message: 'no memory' }
  await read(await fail(job, { ...failure, log: null }))
  job = (await lease(runner))!
  expect(await page(`/runs/${run}`)).not.toContain('first 130')
  await write('second\n')
  expect(await page(`/runs/${run}/log/1`)).toContain('</a>second</li>')
  expect(await page(`/runs/${run}/log/1?attempt=1`)).toContain('</a>first 130</li>')
  expect(await (await ask(`/api/v1/jobs/${job.key}/log?attempt=1`)).text()).toContain('first 1\n')
  expect(await (await ask(`/api/v1/jobs/${job.key}/log`)).text()).toBe('second\n')
})

test('log chunks are appended in order and read back as text', async () => {
  expect(await read(await say(job, 'epoch 1\n'))).toEqual({ sequence: 1, offset: 8 })
  // "é" is two bytes in UTF-8.
  expect(await read(await say(job, 'fin é\n', { sequence: 1, offset: 8 }))).toEqual({ sequence: 2, offset: 15 })
  expect(await (await ask(`/api/v1/jobs/${job.key}/log`)).text()).toBe('epoch 1\nfin é\n')
  expect(await (await ask(`/api/v1/jobs/${job.key}/log?from=8`)).text()).toBe('fin é\n')
})

test('a chunk that leaves a gap is refused with the place that was expected; a repeated one is accepted once', async () => {
  await read(await say(job, 'epoch 1\n'))
  for (const place of [
    { sequence: 1, offset: 9 },
    { sequence: 2, offset: 8 },
  ]) {
    const gap = await errorOf(await say(job, 'x', place))
    expect(gap).toMatchObject({ status: 409, code: 'log_gap', details: { expectedSequence: 1, expectedOffset: 8 } })
    expect(gap.message).toContain('expected chunk 1 at offset 8')
  }
  expect(await read(await say(job, 'epoch 1\n'))).toEqual({ sequence: 1, offset: 8 })
  expect((await errorOf(await say(job, 'another\n'))).code).toBe('log_gap')
  expect(await (await ask(`/api/v1/jobs/${job.key}/log`)).text()).toBe('epoch 1\n')
})

test('the same chunk sent ten times at once is stored once', async () => {
  const answers = await Promise.all(Array.from({ length: 10 }, () => say(job, 'once\n')))
  expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200))
  expect(await (await ask(`/api/v1/jobs/${job.key}/log`)).text()).toBe('once\n')
})

test('a flipped byte in a chunk is refused by its number, and so is a log that differs as a whole', async () => {
  const flipped = { sequence: 0, offset: 0, text: 'epoch 2\n', sha256: await sha256Hex('epoch 1\n') }
  const chunk = await errorOf(await verb(job, 'log', flipped))
  expect(chunk).toMatchObject({ status: 422, code: 'hash_mismatch' })
  expect(chunk.message).toContain('chunk 0')
  await read(await say(job, 'epoch 1\n'))
  const whole = await errorOf(await finish(job, {}, 'epoch 2\n'))
  expect(whole).toMatchObject({ status: 422, code: 'hash_mismatch' })
  expect(whole.message).toContain('the log')
  const short = await errorOf(await finish(job, {}, 'epoch 1\nepoch 2\n'))
  expect(short).toMatchObject({ code: 'log_gap', details: { expectedSequence: 1, expectedOffset: 8 } })
  await read(await finish(job, {}, 'epoch 1\n'))
})

test('progress travels with the log, and alone it takes no number', async () => {
  const progress = { phase: 'train', done: 3, total: 15, unit: 'epoch' }
  const sha256 = await sha256Hex('')
  const sent = await verb(job, 'log', { sequence: 0, offset: 0, text: '', sha256, progress })
  expect(await read(sent)).toEqual({ sequence: 0, offset: 0 })
  expect((await runOf(run)).stages[0]?.progress).toEqual(progress)
})

test('a log of thousands of chunks is joined as it grows, and is the same to the byte', async () => {
  let text = ''
  for (let sequence = 0; sequence < 700; sequence++) {
    // Long enough that some joined pieces are full and stay.
    const line = `${sequence} ${'é'.repeat(sequence % 700)}\n`
    await read(await say(job, line, { sequence, offset: new TextEncoder().encode(text).byteLength }))
    text += line
  }
  expect(await (await ask(`/api/v1/jobs/${job.key}/log`)).text()).toBe(text)
  await read(await finish(job, {}, text))
  expect(await (await ask(`/api/v1/jobs/${job.key}/log`)).text()).toBe(text)
  const { objects } = await bindings.STORE.list({ prefix: 'logs/' })
  expect(objects.length).toBeLessThan(4)
  expect(objects.reduce((sum, { size }) => sum + size, 0)).toBe(new TextEncoder().encode(text).byteLength)
  const [size] = (await logSizes(databaseOf(bindings.DB), [job.key])).get(job.key)!
  expect(size).toMatchObject({ lines: 700 })
})

test('a log is read by ranges and from any byte on, whether its pieces lie in the database or in the store', async () => {
  const text = Array.from({ length: 3000 }, (_, index) => `line ${index} é\n`).join('')
  const whole = new TextEncoder().encode(text)
  // 64 chunks are joined in the store; the rest are rows.
  await write(text, ...Array(70).fill(500))
  const path = `/api/v1/jobs/${job.key}/log`
  const got = async (query: string, range?: string) => {
    const answer = await ask(path + query, { headers: range ? { range } : {} })
    const content = new Uint8Array(await answer.arrayBuffer())
    const at = (name: string) => answer.headers.get(name)
    return { status: answer.status, content, length: at('content-length'), range: at('content-range') }
  }
  expect(await got('')).toEqual({ status: 200, content: whole, length: `${whole.length}`, range: null })
  for (const from of [1, 499, 500, 501, 33_000, 36_001]) {
    expect((await got(`?from=${from}`)).content).toEqual(whole.subarray(from))
    const end = from + 1200
    expect(await got('', `bytes=${from}-${end - 1}`)).toEqual({
      status: 206,
      content: whole.subarray(from, end),
      length: '1200',
      range: `bytes ${from}-${end - 1}/${whole.length}`,
    })
  }
  expect((await got(`?from=${whole.length}`)).content).toHaveLength(0)
  expect((await got('', `bytes=${whole.length}-`)).status).toBe(416)
  const head = await ask(path, { method: 'HEAD' })
  expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, `${whole.length}`, ''])
})

test('what a reader does not take is not read: a log is fetched piece by piece', async () => {
  await write('x'.repeat(70_000), ...Array(70).fill(1000))
  const db = databaseOf(bindings.DB)
  let gets = 0
  const store = {
    get: (...args: Parameters<R2Bucket['get']>) => {
      gets += 1
      return bindings.STORE.get(...args)
    },
  } as R2Bucket
  const stream = streamLog(db, store, { key: job.key, attempt: 1 }, { from: 0, to: 70_000 })
  expect(gets).toBe(0)
  const reader = stream.getReader()
  let bytes = (await reader.read()).value!.byteLength
  expect(gets).toBe(1)
  expect(bytes).toBeLessThanOrEqual(64_000)
  // Pieces that are joined meanwhile change nothing.
  await joinLog(db, bindings.STORE, { key: job.key, attempt: 1 })
  for (let read = await reader.read(); !read.done; read = await reader.read()) bytes += read.value.byteLength
  expect(bytes).toBe(70_000)
})
