/** A runner that takes what it cannot do and fails what it takes: it is bounded, noticed and paused, and no stage is lost by it. */
import { expect, test } from 'vitest'
import type { Queue } from '../../schema/api/queue.ts'
import type { Runner } from '../../schema/api/runner.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import { leaseRequest } from '../support/probe.ts'
import {
  ADMIN,
  ask,
  bindings,
  fail,
  finish,
  lease,
  newNonce,
  read,
  runner,
  runOf,
  submit,
  submitter,
  tokenFor,
  useClock,
  useSubmitterAndRunner,
} from './support.ts'

useSubmitterAndRunner()
const wait = useClock('2026-11-01T12:00:00Z')

const STAGES = 41
const seeds = Array.from({ length: STAGES }, (_, seed) => seed)
const invented = { outcome: 'failed', reason: 'submission_error', message: 'will not' }

const asked = async (token: string, more: object) => {
  const { stagesAtOnce: _, ...json } = leaseRequest(newNonce())
  return read<{ kind: string; standing?: string; pauseReason?: string }>(
    await ask('/api/v1/jobs/lease', { token, json: { ...json, ...more } }),
  )
}
const runners = async () => (await read<{ runners: Runner[] }>(await ask('/api/v1/runners', { token: ADMIN }))).runners
const named = async (name: string) => (await runners()).find((one) => one.name === name)!
const change = async (id: string, json: object) =>
  read<Runner>(
    await ask(`/api/v1/runners/${id}`, {
      token: ADMIN,
      method: 'PATCH',
      body: JSON.stringify(json),
      headers: { 'content-type': 'application/json' },
    }),
  )
const states = async () =>
  (await bindings.DB.prepare('SELECT state, COUNT(*) AS n FROM jobs GROUP BY state').all()).results
const works = async (job: Job) => read(await finish(job))
const fails = async (job: Job, failure: object = invented) =>
  (await read<{ state: string }>(await fail(job, { ...invented, ...failure }))).state

test('a runner holds as many leases as it said it runs stages at once, one where it did not say; one that ran out is free', async () => {
  await submit(submitter, { seeds, method: 'retrain' })
  const kinds = async (token: string, more = {}) =>
    (await Promise.all(seeds.map(() => asked(token, more)))).filter(({ kind }) => kind === 'job').length
  expect(await kinds(runner)).toBe(1)
  expect(await kinds(await tokenFor('runner', 'three'), { stagesAtOnce: 3 })).toBe(3)
  wait(91)
  expect(await kinds(runner)).toBe(1)
})

test('at the bound the same request still gets the same job', async () => {
  await submit(submitter, { seeds, method: 'retrain' })
  const { stagesAtOnce: _, ...json } = leaseRequest(newNonce())
  const once = () => ask('/api/v1/jobs/lease', { token: runner, json })
  const first = await read<{ kind: string }>(await once())
  expect(first.kind).toBe('job')
  expect(await read(await once())).toEqual(first)
  expect((await asked(runner, {})).kind).toBe('none')
})

test('no place is freed by a reclaim', async () => {
  await submit(submitter, { seeds, method: 'retrain' })
  const { stagesAtOnce: _, ...json } = leaseRequest(newNonce())
  const first = await lease(runner)
  wait(91)
  expect((await read<{ kind: string }>(await ask('/api/v1/jobs/lease', { token: runner, json }))).kind).toBe('job')
  const another = { attempt: 1, nonce: newNonce() }
  const reclaimed = await ask(`/api/v1/jobs/${first!.key}/reclaim`, { token: runner, json: another })
  expect(reclaimed.status).toBe(409)
})

test('41 leases failed in seconds pause the runner, and every stage goes to another one', async () => {
  const submission = await submit(submitter, { seeds, method: 'retrain' })
  expect(await lease(await tokenFor('runner', 'honest'))).not.toBeNull()
  const hog = await tokenFor('runner', 'hog')
  const leases: Job[] = []
  for (let job = await lease(hog); job; job = await lease(hog)) leases.push(job)
  expect(leases).toHaveLength(STAGES - 1)
  for (const job of leases) expect(await fails(job)).toBe('queued')
  const { id, state, pauseReason } = await named('hog')
  expect({ state, pauseReason }).toEqual({
    state: 'paused',
    pauseReason: 'it failed 10 stages in a row, and no other runner failed them',
  })
  // It is told, and so is everybody.
  expect(await asked(hog, {})).toMatchObject({ kind: 'none', standing: 'paused', pauseReason })
  const queue = await read<Queue>(await ask('/api/v1/queue'))
  expect(queue.runners.find(({ name }) => name === 'hog')).toMatchObject({ state: 'paused', pauseReason })
  // Its word does not add to another one's, either: two who are believed must agree.
  const honest = await tokenFor('runner', 'honest-2')
  expect(await fails((await lease(honest))!)).toBe('queued')
  for (let job = await lease(honest); job; job = await lease(honest)) await works(job)
  expect(await states()).toEqual([
    { state: 'done', n: 2 * (STAGES - 2) },
    { state: 'leased', n: 1 },
    // What honest-2 failed is left to honest, and two evaluations wait.
    { state: 'queued', n: 3 },
  ])
  expect((await runOf(submission.runs.at(-1)!.id)).state).toBe('done')
  // An admin resumes it: what it failed is forgiven.
  expect(await change(id, { state: 'active' })).toMatchObject({ state: 'active', pauseReason: null })
  await submit(submitter, { seeds: [100], method: 'retrain' })
  expect((await asked(hog, {})).kind).toBe('job')
})

test('where nobody else is there, its word counts until it is paused; then what it ended is queued again', async () => {
  const submission = await submit(submitter, { seeds, method: 'retrain' })
  const ends: string[] = []
  for (let job = await lease(runner); job; job = await lease(runner)) ends.push(await fails(job))
  expect(ends).toEqual([...Array(19).fill('failed'), 'queued'])
  expect(await states()).toEqual([{ state: 'queued', n: 2 * STAGES }])
  expect((await runOf(submission.runs[0]!.id)).state).toBe('queued')
  const another = await tokenFor('runner', 'another')
  for (let job = await lease(another); job; job = await lease(another)) await works(job)
  expect(await states()).toEqual([{ state: 'done', n: 2 * STAGES }])
})

test('a stage goes to another runner after one failed it, and ends for good when two say that it lies in the stage', async () => {
  await submit(submitter, { seeds: [0, 1], method: 'retrain' })
  const [first, second] = [await tokenFor('runner', 'first'), await tokenFor('runner', 'second')]
  const job = (await lease(first))!
  expect(await lease(second)).not.toBeNull()
  expect(await fails(job, { reason: 'numeric_divergence' })).toBe('queued')
  expect(await lease(first)).toBeNull()
  // The first one is free, and the queue does not promise it.
  const { waiting } = await read<Queue>(await ask('/api/v1/queue'))
  expect(waiting.map(({ reason, words, matchingRunners }) => [reason, words, matchingRunners])).toEqual([
    ['busy', 'the one runner that could do it is taken', 1],
  ])
  const again = (await lease(second))!
  expect(again.key).toBe(job.key)
  expect(await fails(again, { reason: 'numeric_divergence' })).toBe('failed')
})

test('a stage that one runner failed comes back to it where the others fell silent', async () => {
  await submit(submitter, { seeds: [0], method: 'retrain' })
  const [first, second] = [await tokenFor('runner', 'first'), await tokenFor('runner', 'second')]
  const job = await lease(first)
  expect(await lease(second)).toBeNull()
  expect(await fails(job!, { reason: 'numeric_divergence' })).toBe('queued')
  expect(await lease(first)).toBeNull()
  wait(96)
  expect(await fails((await lease(first))!, { reason: 'numeric_divergence' })).toBe('failed')
})

test('three stages in a row that others then finish pause a runner at its next failure', async () => {
  await submit(submitter, { seeds: [0, 1, 2, 3], method: 'retrain' })
  const [weak, strong] = [await tokenFor('runner', 'weak'), await tokenFor('runner', 'strong')]
  const lame = { reason: 'out_of_memory', message: 'too small' }
  const held = [await lease(weak), await lease(weak), await lease(weak), await lease(weak)]
  expect(await lease(strong)).toBeNull()
  for (const job of held.slice(0, 3)) expect(await fails(job!, lame)).toBe('queued')
  // It is not given again what it failed.
  expect(await lease(weak)).toBeNull()
  for (let job = await lease(strong); job; job = await lease(strong)) await works(job)
  expect((await named('weak')).state).toBe('active')
  expect(await fails(held[3]!, lame)).toBe('queued')
  expect(await named('weak')).toMatchObject({
    state: 'paused',
    pauseReason: 'it failed 3 stages in a row that other runners then finished',
  })
})

test('a success in between keeps a runner that now and then fails', async () => {
  await submit(submitter, { seeds, method: 'retrain' })
  await asked(await tokenFor('runner', 'other'), {})
  for (let n = 0; n < 15; n++) {
    await fails((await lease(runner))!, { reason: 'out_of_memory' })
    wait(1)
    if (n % 5 === 4) await works((await lease(runner))!)
    wait(1)
  }
  expect((await named('runner')).state).toBe('active')
})
