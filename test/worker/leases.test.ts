import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Run } from '../../schema/api/run.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import { sha256Hex } from '../../schema/stage.ts'
import {
  ask,
  errorOf,
  lease,
  metricsOf,
  read,
  resultOf,
  runOf,
  submit,
  tokenFor,
  upload,
  useFreshDatabase,
  verb,
  workOff,
} from './support.ts'

useFreshDatabase()

let submitter: string
let runner: string
beforeEach(async () => {
  submitter = await tokenFor('submitter')
  runner = await tokenFor('runner')
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-11-01T12:00:00Z') })
})
afterEach(() => {
  vi.useRealTimers()
})
const wait = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000)
const finish = async (job: Job) => read(await verb(runner, job, 'finish', { result: resultOf() }))
const named = ({ spec }: Job) => {
  if (spec.kind === 'train') return `${spec.without ? 'retrain' : 'original'} ${spec.seed}`
  return spec.kind === 'unlearn' ? `${spec.method.id} ${spec.seed}` : `evaluate ${spec.seed}`
}

test('the first seed of everything is leased before the second seed of anything', async () => {
  await submit(submitter, { seeds: [0, 1] })
  await submit(submitter, { seeds: [0, 1], params: { epochs: 7 } })
  const order: string[] = []
  for (let job = await lease(runner); job; job = await lease(runner)) {
    order.push(named(job))
    await finish(job)
  }
  // Seed 0: retrain (train, evaluate), then ft (train, unlearn, evaluate), then the second ft, whose original is shared.
  const seed = ['retrain', 'evaluate', 'original', 'ft', 'evaluate', 'ft', 'evaluate']
  expect(order).toEqual([...seed.map((name) => `${name} 0`), ...seed.map((name) => `${name} 1`)])
})

test('a stage that two submissions share is one job', async () => {
  const first = await submit(submitter, { seeds: [0] })
  const second = await submit(submitter, { seeds: [0], params: { epochs: 7 } })
  const [a, b] = [await runOf(first.runs[0]!.id), await runOf(second.runs[0]!.id)]
  expect(a.stages[0]?.key).toBe(b.stages[0]?.key)
  expect(a.stages[1]?.key).not.toBe(b.stages[1]?.key)
  expect([a.stages[0]?.shared, b.stages[0]?.shared, b.stages[1]?.shared]).toEqual([false, true, false])
})

test('a job waits for its inputs and then receives their artifacts', async () => {
  await submit(submitter, { seeds: [0] })
  const [retrain, original] = [await lease(runner), await lease(runner)]
  expect([named(retrain!), named(original!)]).toEqual(['retrain 0', 'original 0'])
  expect(await lease(runner)).toBeNull()
  const weights = await upload(runner, original!, 'weights')
  await read(await verb(runner, original!, 'finish', { result: resultOf({ artifacts: { 'weights.bin': weights } }) }))
  const unlearn = await lease(runner)
  expect(named(unlearn!)).toBe('ft 0')
  expect(unlearn?.inputs).toEqual({ [original!.key]: { 'weights.bin': weights } })
})

test('an idle runner is told how long to wait', async () => {
  const answer = await ask('/api/v1/jobs/lease', {
    token: runner,
    json: { runner: 'r', device: { deviceClass: 'cpu', provider: 'cpu', precision: 'float32', threads: 2 } },
  })
  expect(await read(answer)).toEqual({ kind: 'none', retryAfterMs: 5000 })
})

test('ten runners asking at once never get the same job', async () => {
  await submit(submitter, { seeds: [0, 1, 2] })
  const leased = await Promise.all(Array.from({ length: 10 }, (_, i) => lease(runner, `runner-${i}`)))
  const keys = leased.flatMap((job) => job?.key ?? [])
  // Three originals and three retrained models need nothing else.
  expect(keys).toHaveLength(6)
  expect(new Set(keys).size).toBe(6)
})

test('a renewal gives a new token, keeps the lease alive and stores progress', async () => {
  const { runs } = await submit(submitter, { seeds: [0], method: 'retrain' })
  const job = await lease(runner)
  expect(job?.lease).toMatchObject({ leaseMs: 90_000, renewEveryMs: 30_000 })
  wait(60)
  const progress = { phase: 'train', done: 3, total: 15, unit: 'epoch', loss: 1.5 }
  const renewed = await read<{ lease: Job['lease']; cancel: boolean }>(await verb(runner, job!, 'renew', { progress }))
  expect(renewed.cancel).toBe(false)
  expect(renewed.lease.token).not.toBe(job?.lease.token)
  wait(60)
  expect(await lease(runner)).toBeNull()
  const run = await runOf(runs[0]!.id)
  expect(run.state).toBe('running')
  expect(run.stages[0]?.progress).toEqual(progress)
})

test('a renewal whose answer was lost can be repeated, and only the last answer counts', async () => {
  await submit(submitter, { seeds: [0] })
  const job = (await lease(runner))!
  const renew = async (token: string) =>
    read<{ lease: Job['lease'] }>(
      await ask(`/api/v1/jobs/${job.key}/renew`, { token: runner, json: { token, progress: null } }),
    )
  const lost = await renew(job.lease.token)
  const received = await renew(job.lease.token)
  const answer = await ask(`/api/v1/jobs/${job.key}/log`, {
    token: runner,
    json: { token: lost.lease.token, offset: 0, text: 'x' },
  })
  expect((await errorOf(answer)).code).toBe('stale_lease')
  const again = await ask(`/api/v1/jobs/${job.key}/log`, {
    token: runner,
    json: { token: received.lease.token, offset: 0, text: 'x' },
  })
  expect(again.status).toBe(200)
})

test('a stale writer is refused on every verb', async () => {
  await submit(submitter, { seeds: [0] })
  const stale = (await lease(runner))!
  wait(91)
  const current = (await lease(runner, 'runner-2'))!
  expect(current.key).toBe(stale.key)
  const refused = [
    await verb(runner, stale, 'renew', { progress: null }),
    await verb(runner, stale, 'log', { offset: 0, text: 'late' }),
    await verb(runner, stale, 'finish', { result: resultOf() }),
    await verb(runner, stale, 'fail', { outcome: 'failed', reason: 'out_of_memory', message: 'late' }),
    await ask(`/api/v1/artifacts/${await sha256Hex('late')}`, {
      token: runner,
      method: 'PUT',
      body: 'late',
      headers: { 'content-length': '4', 'x-job-key': stale.key, 'x-lease-token': stale.lease.token },
    }),
  ]
  for (const answer of refused) expect(await errorOf(answer)).toMatchObject({ status: 409, code: 'stale_lease' })
  await finish(current)
})

test('after a renewal the token before it can no longer write', async () => {
  await submit(submitter, { seeds: [0] })
  const job = (await lease(runner))!
  await read(await verb(runner, job, 'renew', { progress: null }))
  const answer = await verb(runner, job, 'finish', { result: resultOf() })
  expect(await errorOf(answer)).toMatchObject({ status: 409, code: 'stale_lease' })
})

test('a job whose lease ran out is leased again and counted as lost, not as failed', async () => {
  const { runs } = await submit(submitter, { seeds: [0], method: 'retrain' })
  await lease(runner)
  wait(91)
  await lease(runner)
  const run = await runOf(runs[0]!.id)
  expect(run.stages[0]).toMatchObject({ deliveries: 2, lost: 1, failed: 0, state: 'leased' })
})

test('a late result still counts while nobody else holds the job', async () => {
  await submit(submitter, { seeds: [0] })
  const job = (await lease(runner))!
  wait(3600)
  await finish(job)
})

test('a released job goes back to the queue; a failed one is tried three times', async () => {
  const { runs } = await submit(submitter, { seeds: [0], method: 'retrain' })
  const end = async (outcome: string, reason: string) =>
    read(await verb(runner, (await lease(runner))!, 'fail', { outcome, reason, message: 'it broke' }))
  expect(await end('released', 'interrupted')).toEqual({ state: 'queued' })
  expect(await end('failed', 'out_of_memory')).toEqual({ state: 'queued' })
  expect(await end('failed', 'out_of_memory')).toEqual({ state: 'queued' })
  expect(await end('failed', 'gpu_lost')).toEqual({ state: 'failed' })
  const run = await runOf(runs[0]!.id)
  expect(run.state).toBe('failed')
  expect(run.stages[0]).toMatchObject({ deliveries: 4, failed: 3, reason: 'gpu_lost', message: 'it broke' })
  expect(await lease(runner)).toBeNull()
})

test('a divergence fails at once, and submitting again tries again', async () => {
  const first = await submit(submitter, { seeds: [0], method: 'retrain' })
  const failure = { outcome: 'failed', reason: 'numeric_divergence', message: 'loss is NaN' }
  expect(await read(await verb(runner, (await lease(runner))!, 'fail', failure))).toEqual({ state: 'failed' })
  expect((await runOf(first.runs[0]!.id)).state).toBe('failed')
  const again = await submit(submitter, { seeds: [0], method: 'retrain' })
  expect(again.runs[0]?.state).toBe('queued')
  expect(await lease(runner)).not.toBeNull()
})

test('a runner learns of a cancellation at its next renewal, and its release ends the job', async () => {
  const { id, runs } = await submit(submitter, { seeds: [0], method: 'retrain' })
  const job = (await lease(runner))!
  await read(await ask(`/api/v1/submissions/${id}/cancel`, { token: submitter, method: 'POST' }))
  const renewed = await read<{ lease: Job['lease']; cancel: boolean }>(
    await verb(runner, job, 'renew', { progress: null }),
  )
  expect(renewed.cancel).toBe(true)
  const released = { outcome: 'released', reason: 'cancelled', message: 'asked to stop' }
  const answer = await verb(runner, { ...job, lease: renewed.lease }, 'fail', released)
  expect(await read(answer)).toEqual({ state: 'cancelled' })
  expect((await runOf(runs[0]!.id)).state).toBe('cancelled')
})

test('finishing stores metrics, seconds and artifacts on the run', async () => {
  const { runs } = await submit(submitter, { seeds: [0], method: 'retrain' })
  await finish((await lease(runner))!)
  const job = (await lease(runner))!
  const logits = await upload(runner, job, 'logits')
  const metrics = metricsOf({ ua: 5.5, ra: 100, ta: 92.25, mia: 12 })
  const result = resultOf({ metrics, artifacts: { 'evidence.bin': logits }, seconds: { setUp: 1, evaluate: 2 } })
  expect(await read(await verb(runner, job, 'finish', { result }))).toEqual({ state: 'done' })
  const run: Run = await runOf(runs[0]!.id)
  expect(run.state).toBe('done')
  expect(run.metrics.ta).toMatchObject({ title: 'TA', value: 92.25, identity: 'ta/accuracy@1' })
  expect(run.stages[1]).toMatchObject({ artifacts: { 'evidence.bin': logits }, seconds: { setUp: 1, evaluate: 2 } })
})

test('a result that names an artifact that was never uploaded is refused', async () => {
  await submit(submitter, { seeds: [0] })
  const job = (await lease(runner))!
  const artifacts = { 'weights.bin': { sha256: 'a'.repeat(64), bytes: 4 } }
  const answer = await verb(runner, job, 'finish', { result: resultOf({ artifacts }) })
  expect(await errorOf(answer)).toMatchObject({ status: 409, code: 'missing_artifact' })
  await finish(job)
})

test('a run with all its jobs done is done, and its submission says so', async () => {
  const { id } = await submit(submitter, { seeds: [0, 1] })
  await workOff(runner)
  const { runs } = await read<{ runs: { state: string }[] }>(await ask(`/api/v1/submissions/${id}`))
  expect(runs.map(({ state }) => state)).toEqual(['done', 'done'])
})
