/** What sockets hear of a run while it happens. */
import { expect, test } from 'vitest'
import type { LiveMessage } from '../../worker/durable/live-event.ts'
import { openSocket } from './sockets.ts'
import {
  ask,
  errorOf,
  finish,
  lease,
  newNonce,
  read,
  runner,
  say,
  submit,
  submitter,
  useSubmitterAndRunner,
  verb,
} from './support.ts'

useSubmitterAndRunner()

const follow = (run: string) => openSocket<LiveMessage>(`/api/v1/runs/${run}/live`)

test('who follows a run hears of each lease, progress, log line and end of its stages', async () => {
  const { runs } = await submit(submitter, { method: 'retrain', seeds: [0] })
  const { next, leave } = await follow(runs[0]!.id)
  const job = (await lease(runner))!
  const nothing = { key: job.key, changed: false, progress: null, log: null }
  expect(await next()).toEqual({ ...nothing, changed: true })
  await read(await say(job, 'one\n\u001b[31m<two>\u001b[0m\n'))
  const lines = { of: `${job.key}/1`, offset: 0, end: 19, line: 0, lines: ['one', '\u001b[31m<two>\u001b[0m'] }
  expect(await next()).toEqual({ ...nothing, log: lines })
  // A line that is not ended cannot be appended to: the page is asked to read it from the server.
  await read(await say(job, 'three', { sequence: 1, offset: 19 }))
  expect(await next()).toMatchObject({ changed: true, log: { offset: 19, line: 2 } })
  const progress = { phase: '<train>', done: 3, total: 8, unit: 'epoch' }
  const { lease: renewed } = await read<{ lease: typeof job.lease }>(
    await verb(job, 'renew', { nonce: newNonce(), progress }),
  )
  const told = (await next()).progress
  expect(told).toContain('&lt;train&gt;: epoch 3 of 8')
  await read(await finish({ ...job, lease: renewed }, {}, 'one\n\u001b[31m<two>\u001b[0m\nthree'))
  expect(await next()).toEqual({ ...nothing, changed: true })
  await leave()
})

test('a page hears of its own run only, and of a cancellation', async () => {
  const mine = await submit(submitter, { method: 'original', seeds: [1] })
  const other = await submit(submitter, { method: 'original', seeds: [2] })
  const { next, unread, leave } = await follow(mine.runs[0]!.id)
  await read(await ask(`/api/v1/submissions/${other.id}/cancel`, { token: submitter, method: 'POST' }))
  await read(await ask(`/api/v1/submissions/${mine.id}/cancel`, { token: submitter, method: 'POST' }))
  const { stages } = await read<{ stages: { key: string }[] }>(await ask(`/api/v1/runs/${mine.runs[0]!.id}`))
  const keys = [await next(), await next()].map(({ key }) => key)
  expect(keys.sort()).toEqual(stages.map(({ key }) => key).sort())
  expect(unread).toEqual([])
  await leave()
})

test('a live address without an upgrade, or of no run, is refused', async () => {
  const { runs } = await submit(submitter, { method: 'retrain', seeds: [0] })
  expect(await errorOf(await ask(`/api/v1/runs/${runs[0]!.id}/live`))).toMatchObject({ code: 'invalid_request' })
  const nowhere = await ask('/api/v1/runs/nothing/live', { headers: { upgrade: 'websocket' } })
  expect(await errorOf(nowhere)).toMatchObject({ code: 'not_found' })
})
