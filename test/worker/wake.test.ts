/** Which idle runners are woken, when, and how many. */
import { expect, test } from 'vitest'
import type { WakeMessage } from '../../schema/protocol/wake.ts'
import { openSocket } from './sockets.ts'
import {
  ADMIN,
  ask,
  bindings,
  dispatcherAlarm,
  enrol,
  errorOf,
  fail,
  finish,
  lease,
  read,
  runner,
  submit,
  submitter,
  useSubmitterAndRunner,
} from './support.ts'

useSubmitterAndRunner()

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms))

const PATH = '/api/v1/runners/wake'
type Idle = Awaited<ReturnType<typeof openSocket<WakeMessage>>>
async function idle(): Promise<Idle> {
  const socket = await openSocket<WakeMessage>(PATH, runner)
  expect(await socket.next()).toMatchObject({ kind: 'welcome' })
  return socket
}
/** How many of these runners were woken. */
async function woken(runners: Idle[]): Promise<number> {
  await sleep(50)
  return runners.filter(({ unread }) => unread.some(({ kind }) => kind === 'wake')).length
}
/** Two stages, of which the first is ready. */
const submitOne = (seed: number) => submit(submitter, { method: 'retrain', seeds: [seed] })
const leaveAll = (runners: Idle[]) => Promise.all(runners.map(({ leave }) => leave()))

test('a submission wakes as many idle runners as it has stages to begin, no more', async () => {
  const runners = await Promise.all(Array.from({ length: 6 }, idle))
  await submit(submitter, { method: 'retrain', seeds: [0, 1] })
  expect(await woken(runners)).toBe(2)
  await leaveAll(runners)
})

test('work that stays wakes the others after a while, and those that came later are left alone', async () => {
  const runners = await Promise.all(Array.from({ length: 3 }, idle))
  await submitOne(0)
  expect(await woken(runners)).toBe(1)
  await sleep(5)
  const later = await idle()
  await dispatcherAlarm()
  expect(await woken(runners)).toBe(2)
  await dispatcherAlarm()
  expect(await woken(runners)).toBe(3)
  await dispatcherAlarm()
  expect(await woken([later])).toBe(0)
  await leaveAll([...runners, later])
})

test('once the work is taken nobody else is woken for it', async () => {
  const runners = await Promise.all(Array.from({ length: 3 }, idle))
  await submitOne(0)
  await lease(runner)
  await dispatcherAlarm()
  expect(await woken(runners)).toBe(1)
  await leaveAll(runners)
})

test('a finished stage that lets another begin, a released one and an expired lease wake a runner', async () => {
  await submitOne(0)
  const train = (await lease(runner))!
  const first = await idle()
  await read(await finish(train))
  expect(await first.next()).toEqual({ kind: 'wake' })
  const evaluate = (await lease(runner))!
  const second = await idle()
  await read(await fail(evaluate, { outcome: 'released', reason: 'interrupted', message: 'stopped' }))
  expect(await second.next()).toEqual({ kind: 'wake' })
  const third = await idle()
  await lease(runner)
  await bindings.DB.prepare(`UPDATE jobs SET lease_expires_at = 1 WHERE state = 'leased'`).run()
  await dispatcherAlarm()
  expect(await third.next()).toEqual({ kind: 'wake' })
  await leaveAll([first, second, third])
})

test('a runner that was woken is not woken again, and a submission that was sent before wakes nobody', async () => {
  const json = { benchmark: 'fashion-mnist-5k.small-cnn.random-10', method: 'retrain', seeds: [0] }
  const send = () => ask('/api/v1/submissions', { token: submitter, json, headers: { 'idempotency-key': 'one' } })
  const first = await idle()
  await send()
  expect(await first.next()).toEqual({ kind: 'wake' })
  const second = await idle()
  await send()
  expect(await woken([first, second])).toBe(0)
  await leaveAll([first, second])
})

test('only runners may wait for work, and only on a socket', async () => {
  expect(await errorOf(await ask(PATH, { headers: { upgrade: 'websocket' } }))).toMatchObject({ code: 'unauthorized' })
  const wrong = await ask(PATH, { token: submitter, headers: { upgrade: 'websocket' } })
  expect(await errorOf(wrong)).toMatchObject({ code: 'unauthorized' })
  expect(await errorOf(await ask(PATH, { token: runner }))).toMatchObject({ code: 'invalid_request' })
})

test('a runner that an admin pauses or revokes is woken to learn of it, and no other is', async () => {
  const other = await enrol('other')
  const sockets = [await idle(), await openSocket<WakeMessage>(PATH, other.token)]
  const path = `/api/v1/runners/${other.id}`
  await read(await ask(path, { token: ADMIN, method: 'PATCH', json: { state: 'paused' } }))
  expect([await woken(sockets.slice(0, 1)), await woken(sockets.slice(1))]).toEqual([0, 1])
  const again = await openSocket<WakeMessage>(PATH, other.token)
  await read(await ask(path, { token: ADMIN, method: 'DELETE' }))
  expect([await woken(sockets.slice(0, 1)), await woken([again])]).toEqual([0, 1])
  await leaveAll([...sockets, again])
})
