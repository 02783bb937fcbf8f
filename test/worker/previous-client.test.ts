/** Runners of earlier releases against this worker: what they can still do, and what they are told. */
import { expect, test } from 'vitest'
import type { Board } from '../../schema/api/board.ts'
import type { Queue } from '../../schema/api/queue.ts'
import { engines } from '../../schema/engine.ts'
import { HEADER, header, OLDEST_PROTOCOL, PROTOCOL, releases, spokenBy } from '../../schema/protocol/version.ts'
import type { StageSpec } from '../../schema/stage.ts'
import { filesOf } from '../support/artifacts.ts'
import { type PreviousJob, previousClient, type Send, type Speaks } from '../support/previous-client.ts'
import { leaseRequest } from '../support/probe.ts'
import {
  ADMIN,
  ask,
  bindings,
  errorOf,
  newNonce,
  read,
  runOf,
  SLUG,
  submit,
  tokenFor,
  useClock,
  useFreshDatabase,
} from './support.ts'

useFreshDatabase()
const wait = useClock('2026-11-01T12:00:00Z')

const send: Send = (path, { method = 'GET', headers, body }) =>
  ask(path, { method, headers: headers as Record<string, string>, ...(body != null && { body }) })

async function client(speaks?: Speaks) {
  const { secret } = await read<{ secret: string }>(await ask('/api/v1/enrolments', { token: ADMIN, json: {} }), 201)
  return previousClient({ send, secret, ...(speaks && { speaks }) })
}
type Client = Awaited<ReturnType<typeof client>>

/** The oldest that is served, with what it takes to compute what is planned now. */
const served = { protocol: OLDEST_PROTOCOL, engines: engines() }

const scores = { ua: 12, ra: 99, ta: 91, mia: 20 }
const metrics = Object.fromEntries(
  Object.entries({ ua: 'ua/accuracy@1', ra: 'ra/accuracy@1', ta: 'ta/accuracy@1', mia: 'mia/svc-confidence@1' }).map(
    ([id, identity]) => [id, { identity, value: scores[id as keyof typeof scores] }],
  ),
)

async function workOff(by: Client, job: PreviousJob): Promise<void> {
  await by.log(job, 'it begins\n')
  await by.renew(job)
  const artifacts: Record<string, { sha256: string; bytes: number }> = {}
  for (const [name, bytes] of Object.entries(await filesOf(job.order.spec as unknown as StageSpec, scores))) {
    artifacts[name] = await by.upload(job, bytes)
  }
  await by.log(job, 'it ends\n')
  const evaluates = job.order.spec.kind === 'evaluate'
  const seconds = evaluates ? { setUp: 1, evaluate: 2 } : { setUp: 1, train: 20, unlearn: 10 }
  await by.finish(job, { artifacts, seconds, ...(evaluates && { metrics }) })
}

test('the client of the release before carries out a whole run, and what it signed verifies', async () => {
  const { runs } = await submit(await tokenFor('submitter'), { seeds: [0] })
  const by = await client(served)
  const first = (await by.lease())!
  // A checkpoint is left, the job is given back, and its next delivery knows it.
  await by.checkpoint(first, await by.upload(first, 'half of it'), 1)
  expect(await by.fail(first, 'released', 'interrupted')).toBe('queued')
  const again = (await by.lease())!
  expect(again).toMatchObject({ key: first.key, lease: { attempt: 2 }, order: { checkpoint: { position: 1 } } })
  await workOff(by, again)
  for (let job = await by.lease(); job; job = await by.lease()) await workOff(by, job)
  const run = await runOf(runs[0]!.id)
  expect(run).toMatchObject({ state: 'done', metrics: { ua: { value: 12 }, ta: { value: 91 } } })
  for (const { key } of run.stages) {
    const { manifest } = await read<{ manifest: object | null }>(await ask(`/api/v1/jobs/${key}/manifest`))
    expect(manifest).toMatchObject({ job: key, runner: by.id, result: { versions: { palimpsest: '0.1.0' } } })
  }
  const board = await read<Board>(await ask(`/api/v1/benchmarks/${SLUG}/board`))
  expect(board.rows).toMatchObject([{ method: 'ft', metrics: { ua: { mean: 12, n: 1 } } }])
})

test('a lease that ran out is reclaimed by the client of the release before', async () => {
  await submit(await tokenFor('submitter'), { seeds: [0], method: 'retrain' })
  const by = await client(served)
  const job = (await by.lease())!
  await by.log(job, 'lost\n')
  wait(3600)
  await read(
    await ask('/api/v1/jobs/lease', {
      token: await tokenFor('runner'),
      json: { ...leaseRequest(newNonce()), engines: [] },
    }),
  )
  await by.reclaim(job)
  expect(job.lease.attempt).toBe(2)
  await workOff(by, job)
})

test('a runner that could carry out no order is told which release it needs, in words that end it', async () => {
  await submit(await tokenFor('submitter'), { seeds: [0] })
  const by = await client()
  await expect(by.lease()).rejects.toMatchObject({
    code: 'runner_outdated',
    // A runner of 0.1.0 tries again after any status but 400, 401, 403 and 404.
    status: 403,
    message: `this server needs palimpsest ${releases[OLDEST_PROTOCOL]} or newer (protocol ${OLDEST_PROTOCOL}); this runner is palimpsest 0.1.0 (protocol 1): update it and start it again, it stays enrolled`,
  })
})

test('a runner is given jobs of the engines that it has, and the queue says which engine is missing', async () => {
  await submit(await tokenFor('submitter'), { seeds: [0], method: 'retrain' })
  const [older, newer] = [await client({ ...served, engines: ['other@1'] }), await client(served)]
  expect(await older.lease()).toBeNull()
  const { waiting } = await read<Queue>(await ask('/api/v1/queue'))
  expect(waiting[0]).toMatchObject({
    reason: 'no_matching_runner',
    matchingRunners: 0,
    words: `0 of 1 runner match: none has the engine ${engines()[0]}, which comes with another release of palimpsest`,
  })
  // What was planned before an update stays for runners of that release.
  await bindings.DB.prepare(`UPDATE jobs SET engine = 'other@1'`).run()
  expect(await newer.lease()).toBeNull()
  expect(await older.lease()).not.toBeNull()
})

test('a request with a field that the server does not know is refused by its name', async () => {
  const token = await tokenFor('runner')
  const json = { ...leaseRequest(newNonce()), colour: 'red' }
  expect(await errorOf(await ask('/api/v1/jobs/lease', { token, json }))).toMatchObject({
    status: 400,
    code: 'invalid_request',
    message: 'colour: unknown, remove it or check its spelling',
  })
})

test('every answer says what the server speaks, also one that refuses', async () => {
  for (const path of ['/', '/health', '/api/v1/queue', '/api/v1/nowhere']) {
    expect((await ask(path)).headers.get(HEADER), path).toBe(header)
  }
  expect(spokenBy(header)).toEqual({ protocol: PROTOCOL, since: releases[PROTOCOL] })
  expect(spokenBy(null)).toEqual({ protocol: 1, since: '0.1.0' })
})
