import { beforeEach, expect, test } from 'vitest'
import type { Job } from '../../schema/protocol/lease.ts'
import { databaseOf } from '../../worker/database.ts'
import { logSizes, readLines, readTail } from '../../worker/queries/read-log.ts'
import { ask, bindings, errorOf, lease, read, submit, tokenFor, useFreshDatabase, verb } from './support.ts'

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
  let offset = 0
  let at = 0
  for (const length of cuts) {
    const piece = text.slice(at, at + length)
    if (piece === '') break
    await read(await verb(runner, job, 'log', { offset, text: piece }))
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
  await read(await verb(runner, job, 'fail', failure))
  job = (await lease(runner))!
  expect(await page(`/runs/${run}`)).not.toContain('first 130')
  await write('second\n')
  expect(await page(`/runs/${run}/log/1`)).toContain('</a>second</li>')
  expect(await page(`/runs/${run}/log/1?attempt=1`)).toContain('</a>first 130</li>')
  expect(await (await ask(`/api/v1/jobs/${job.key}/log?attempt=1`)).text()).toContain('first 1\n')
  expect(await (await ask(`/api/v1/jobs/${job.key}/log`)).text()).toBe('second\n')
})
