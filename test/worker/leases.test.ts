/** Leases: which job a runner gets, how long it holds it, and who may write to it. */
import { expect, test } from 'vitest'
import type { Run } from '../../schema/api/run.ts'
import { sha256Hex } from '../../schema/parts/hash.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import { signedResult } from '../support/enrolled.ts'
import { leaseRequest } from '../support/probe.ts'
import {
  ask,
  bindings,
  dispatcherAlarm,
  errorOf,
  fail,
  finish,
  lease,
  leave,
  metricsOf,
  newNonce,
  read,
  renew,
  resultOf,
  runner,
  runOf,
  say,
  submit,
  submitter,
  tokenFor,
  upload,
  useClock,
  useSubmitterAndRunner,
  verb,
  wholeLog,
  workOff,
} from './support.ts'

useSubmitterAndRunner()

const wait = useClock('2026-11-01T12:00:00Z')
const done = async (job: Job) => read(await finish(job))
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
    await done(job)
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
  const weights = await leave(original!)
  await read(await finish(original!, { artifacts: weights }))
  const unlearn = await lease(runner)
  expect(named(unlearn!)).toBe('ft 0')
  expect(Object.keys(weights)).toEqual(['weights.safetensors'])
  expect(unlearn?.inputs).toEqual({ [original!.key]: weights })
})

test('an idle runner is told how long to wait', async () => {
  const answer = await ask('/api/v1/jobs/lease', {
    token: runner,
    json: leaseRequest(newNonce()),
  })
  expect(await read(answer)).toEqual({ kind: 'none', retryAfterMs: 5000, standing: 'active' })
})

test('ten runners asking at once never get the same job', async () => {
  await submit(submitter, { seeds: [0, 1, 2] })
  const runners = await Promise.all(Array.from({ length: 10 }, (_, i) => tokenFor('runner', `runner-${i}`)))
  const leased = await Promise.all(runners.map((token) => lease(token)))
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
  const renewed = await read<{ lease: Job['lease']; cancel: boolean }>(
    await verb(job!, 'renew', { nonce: newNonce(), progress }),
  )
  expect(renewed.cancel).toBe(false)
  expect(renewed.lease.token).not.toBe(job?.lease.token)
  wait(60)
  expect(await lease(runner)).toBeNull()
  const run = await runOf(runs[0]!.id)
  expect(run.state).toBe('running')
  expect(run.stages[0]?.progress).toEqual(progress)
})

test('a renewal whose answer was lost or doubled gives the same token again', async () => {
  await submit(submitter, { seeds: [0] })
  const job = (await lease(runner))!
  const nonce = newNonce()
  const [first, doubled] = await Promise.all([renew(job, nonce), renew(job, nonce)])
  const lost = await read<{ lease: Job['lease'] }>(first)
  expect((await read<{ lease: Job['lease'] }>(doubled)).lease).toEqual(lost.lease)
  expect((await read<{ lease: Job['lease'] }>(await renew(job, nonce))).lease).toEqual(lost.lease)
  // The old token leads to this one only.
  expect((await errorOf(await renew(job))).code).toBe('stale_lease')
  await read(await say({ ...job, lease: lost.lease }, 'x'))
  // A double that comes after the next renewal changes nothing.
  const next = await read<{ lease: Job['lease'] }>(await renew({ ...job, lease: lost.lease }))
  expect((await errorOf(await renew(job, nonce))).code).toBe('stale_lease')
  await read(await finish({ ...job, lease: next.lease }, {}, 'x'))
})

test('a request for a job that is doubled, or whose answer was lost, leases one job', async () => {
  await submit(submitter, { seeds: [0] })
  const json = leaseRequest(newNonce())
  const asked = () => ask('/api/v1/jobs/lease', { token: runner, json })
  const [first, doubled] = await Promise.all([asked(), asked()])
  const answer = await read<{ kind: string }>(first)
  expect(answer.kind).toBe('job')
  expect(await read(doubled)).toEqual(answer)
  wait(10)
  expect(await read(await asked())).toEqual(answer)
  expect((await bindings.DB.prepare('SELECT COUNT(*) AS n FROM deliveries').first())?.n).toBe(1)
})

test('a stale writer is refused on every verb', async () => {
  await submit(submitter, { seeds: [0] })
  const stale = (await lease(runner))!
  wait(91)
  const current = (await lease(await tokenFor('runner', 'runner-2')))!
  expect(current.key).toBe(stale.key)
  const refused = [
    await renew(stale),
    await say(stale, 'late'),
    await finish(stale),
    await fail(stale, { outcome: 'failed', reason: 'out_of_memory', message: 'late' }),
    await ask(`/api/v1/artifacts/${await sha256Hex('late')}`, {
      token: stale.lease.token,
      method: 'PUT',
      body: 'late',
      headers: { 'content-length': '4' },
    }),
    await ask(`/api/v1/jobs/${stale.key}/reclaim`, { token: runner, json: { attempt: 1, nonce: newNonce() } }),
  ]
  for (const answer of refused) expect(await errorOf(answer)).toMatchObject({ status: 409, code: 'stale_lease' })
  await done(current)
})

test('after a renewal the token before it can no longer write', async () => {
  await submit(submitter, { seeds: [0] })
  const job = (await lease(runner))!
  await read(await renew(job))
  const answer = await finish(job)
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

test('a runner whose lease ran out is told so, and goes on while nobody else has the job', async () => {
  const { runs } = await submit(submitter, { seeds: [0], method: 'retrain' })
  const job = (await lease(runner))!
  await read(await say(job, 'first\n'))
  wait(3600)
  expect(await errorOf(await finish(job, {}, 'first\n'))).toMatchObject({ status: 409, code: 'lease_expired' })
  await dispatcherAlarm()
  expect(await errorOf(await renew(job))).toMatchObject({ status: 409, code: 'lease_expired' })
  const json = { attempt: 1, nonce: newNonce() }
  const reclaim = () => ask(`/api/v1/jobs/${job.key}/reclaim`, { token: runner, json })
  const answer = await read<{ lease: Job['lease'] }>(await reclaim())
  expect(await read(await reclaim())).toEqual(answer)
  const again = { ...job, lease: answer.lease }
  expect(again.lease.attempt).toBe(2)
  await read(await say(again, 'first\nsecond\n'))
  await read(await finish(again, {}, 'first\nsecond\n'))
  expect((await runOf(runs[0]!.id)).stages[0]).toMatchObject({ state: 'done', deliveries: 2, lost: 1, failed: 0 })
})

test('another runner cannot reclaim a job, and nobody one that was given away', async () => {
  await submit(submitter, { seeds: [0] })
  const job = (await lease(runner))!
  wait(91)
  const json = { attempt: 1, nonce: newNonce() }
  const other = await tokenFor('runner', 'another')
  const stolen = await ask(`/api/v1/jobs/${job.key}/reclaim`, { token: other, json })
  expect((await errorOf(stolen)).code).toBe('stale_lease')
  expect((await lease(other))?.key).toBe(job.key)
  const late = await ask(`/api/v1/jobs/${job.key}/reclaim`, { token: runner, json })
  expect((await errorOf(late)).code).toBe('stale_lease')
})

test('a result that comes after the job went elsewhere is kept as evidence', async () => {
  await submit(submitter, { seeds: [0] })
  const job = (await lease(runner))!
  const late = async (attempt: number, token = runner) => {
    const said = { result: resultOf(), log: await wholeLog('') }
    const manifest = await signedResult(job, said, { attempt })
    return ask(`/api/v1/jobs/${job.key}/late`, { token, json: { manifest } })
  }
  expect((await errorOf(await late(1))).code).toBe('conflict')
  wait(91)
  const other = await tokenFor('runner', 'another')
  await done((await lease(other))!)
  expect(await read(await late(1))).toEqual({ state: 'kept' })
  expect(await read(await late(1))).toEqual({ state: 'kept' })
  expect((await errorOf(await late(2))).code).toBe('not_found')
  // Another runner cannot hand in what it did not sign.
  expect((await errorOf(await late(1, other))).code).toBe('bad_signature')
})

test('the alarm returns a job whose runner fell silent, and it goes first', async () => {
  await submit(submitter, { seeds: [0, 1] })
  const silent = (await lease(runner))!
  expect((await bindings.DB.prepare("SELECT COUNT(*) AS n FROM jobs WHERE state = 'leased'").first())?.n).toBe(1)
  wait(90)
  await dispatcherAlarm()
  const row = await bindings.DB.prepare('SELECT state, lost, reason FROM jobs WHERE key = ?').bind(silent.key).first()
  expect(row).toEqual({ state: 'queued', lost: 1, reason: 'runner_lost' })
  expect((await lease(runner))?.key).toBe(silent.key)
})

test('a job that is lost a hundred times ends as failed', async () => {
  const { runs } = await submit(submitter, { seeds: [0], method: 'retrain' })
  for (let times = 0; times < 100; times++) {
    expect(await lease(runner)).not.toBeNull()
    wait(91)
  }
  expect(await lease(runner)).toBeNull()
  const run = await runOf(runs[0]!.id)
  expect(run.stages[0]).toMatchObject({ state: 'failed', deliveries: 100, lost: 100, failed: 0, reason: 'runner_lost' })
})

test('the same end told twice is answered the same', async () => {
  await submit(submitter, { seeds: [0], method: 'retrain' })
  const job = (await lease(runner))!
  const failure = { outcome: 'failed', reason: 'out_of_memory', message: 'no memory' }
  for (let times = 0; times < 2; times++) expect(await read(await fail(job, failure))).toEqual({ state: 'queued' })
  expect((await errorOf(await finish(job))).code).toBe('stale_lease')
  const again = (await lease(runner))!
  for (let times = 0; times < 2; times++) expect(await read(await finish(again))).toEqual({ state: 'done' })
  const other = await finish(again, { seconds: { setUp: 2 } })
  expect((await errorOf(other)).code).toBe('stale_lease')
})

test('a released job goes back to the queue; a failed one is tried three times', async () => {
  const { runs } = await submit(submitter, { seeds: [0], method: 'retrain' })
  const end = async (outcome: string, reason: string) =>
    read(await fail((await lease(runner))!, { outcome, reason, message: 'it broke' }))
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
  expect(await read(await fail((await lease(runner))!, failure))).toEqual({ state: 'failed' })
  expect((await runOf(first.runs[0]!.id)).state).toBe('failed')
  const again = await submit(submitter, { seeds: [0], method: 'retrain' })
  expect(again.runs[0]?.state).toBe('queued')
  expect(await lease(runner)).not.toBeNull()
})

test('a runner learns of a cancellation at its next renewal, and its release ends the job', async () => {
  const { id, runs } = await submit(submitter, { seeds: [0], method: 'retrain' })
  const job = (await lease(runner))!
  await read(await ask(`/api/v1/submissions/${id}/cancel`, { token: submitter, method: 'POST' }))
  const renewed = await read<{ lease: Job['lease']; cancel: boolean }>(await renew(job))
  expect(renewed.cancel).toBe(true)
  const released = { outcome: 'released', reason: 'cancelled', message: 'asked to stop' }
  const answer = await fail({ ...job, lease: renewed.lease }, released)
  expect(await read(answer)).toEqual({ state: 'cancelled' })
  expect((await runOf(runs[0]!.id)).state).toBe('cancelled')
})

test('finishing stores metrics, seconds and artifacts on the run', async () => {
  const { runs } = await submit(submitter, { seeds: [0], method: 'retrain' })
  await done((await lease(runner))!)
  const job = (await lease(runner))!
  const scores = { ua: 5.4, ra: 100, ta: 92.25, mia: 12 }
  const artifacts = { ...(await leave(job, scores)), 'more.bin': await upload(job, 'more') }
  const result = { metrics: metricsOf(scores), artifacts, seconds: { setUp: 1, evaluate: 2 } }
  expect(await read(await finish(job, result))).toEqual({ state: 'done' })
  const run: Run = await runOf(runs[0]!.id)
  expect(run.state).toBe('done')
  expect(run.metrics.ta).toMatchObject({ title: 'TA', value: 92.25, identity: 'ta/accuracy@1' })
  expect(run.stages[1]).toMatchObject({ artifacts, seconds: { setUp: 1, evaluate: 2 } })
})

test('a result that names an artifact that was never uploaded is refused', async () => {
  await submit(submitter, { seeds: [0] })
  const job = (await lease(runner))!
  const artifacts = { 'weights.bin': { sha256: 'a'.repeat(64), bytes: 4 } }
  const answer = await finish(job, { artifacts })
  expect(await errorOf(answer)).toMatchObject({ status: 409, code: 'missing_artifact' })
  await done(job)
})

test('a run with all its jobs done is done, and its submission says so', async () => {
  const { id } = await submit(submitter, { seeds: [0, 1] })
  await workOff(runner)
  const { runs } = await read<{ runs: { state: string }[] }>(await ask(`/api/v1/submissions/${id}`))
  expect(runs.map(({ state }) => state)).toEqual(['done', 'done'])
})
