/** A stage that another runner computes once more: what it is given, what is compared, and what follows. */
import { beforeEach, expect, test } from 'vitest'
import { readSafetensors, writeSafetensors } from '../../runner/formats/safetensors.ts'
import type { Board } from '../../schema/api/board.ts'
import type { Runner } from '../../schema/api/runner.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import { filesOf } from '../support/artifacts.ts'
import {
  ADMIN,
  ask,
  bindings,
  enrol,
  fail,
  finish,
  lease,
  metricsOf,
  read,
  runner,
  runOf,
  SLUG,
  submit,
  submitter,
  tokenFor,
  upload,
  useSubmitterAndRunner,
  workOff,
} from './support.ts'

useSubmitterAndRunner('ada')

let second: string
beforeEach(async () => {
  Object.assign(bindings, { REPEAT_SHARE: '1' })
  second = await tokenFor('runner', 'second')
})

const WEIGHTS = 'weights.safetensors'
const kindsLeft = async (token: string) => {
  const jobs: Job[] = []
  for (;;) {
    const job = await lease(token)
    if (!job) return jobs
    jobs.push(job)
    await read(await finish(job, job.spec.kind === 'evaluate' ? { metrics: metricsOf(UNLIKE) } : {}))
  }
}
const UNLIKE = { ua: 9, ra: 100, ta: 90, mia: 10 }
const repeatsOf = async (id: string) =>
  (await runOf(id)).stages.map(({ spec, repeat }) => [spec.kind, repeat?.verdict ?? null])

test('goes to another runner, once nothing else waits, and takes no part in the run', async () => {
  const { runs } = await submit(submitter, { seeds: [0] })
  await workOff(runner)
  expect((await runOf(runs[0]!.id)).state).toBe('done')
  // Its own stages are not given to a runner once more.
  expect(await lease(runner)).toBeNull()
  const jobs = await kindsLeft(second)
  expect(jobs.map(({ spec }) => [spec.kind, spec.repeat]).sort()).toEqual([
    ['evaluate', 1],
    ['evaluate', 1],
    ['unlearn', 1],
  ])
  expect(jobs.every(({ spec, metrics }) => spec.kind !== 'evaluate' || metrics.length > 0)).toBe(true)
  const { rows } = await read<Board>(await ask(`/api/v1/benchmarks/${SLUG}/board`))
  expect(rows[0]?.metrics.ua?.mean).toBe(5)
  // Repeats are not repeated.
  expect(await lease(runner)).toBeNull()
})

test('says of metrics, weights and samples whether they agree', async () => {
  const { runs } = await submit(submitter, { seeds: [0] })
  await workOff(runner)
  await kindsLeft(second)
  // The evaluation found another UA; weights were the same bytes.
  expect(await repeatsOf(runs[0]!.id)).toEqual([
    ['train', null],
    ['unlearn', 'agrees'],
    ['evaluate', 'differs'],
  ])
  const { repeat } = (await runOf(runs[0]!.id)).stages[2]!
  expect(repeat).toMatchObject({ runner: 'second', detail: 'ua: points apart 4, of at most 1' })
  expect(await (await ask(`/runs/${runs[0]!.id}`)).text()).toContain('computed again by second, whose result differs')
})

/** Weights that lie `by` from those that all fake runners leave, in each number. */
const movedBy = async (job: Job, by: number) => {
  const { tensors, metadata } = readSafetensors((await filesOf(job.spec))[WEIGHTS]!)
  for (const { data } of tensors.values()) (data as Float32Array).fill(by)
  return { [WEIGHTS]: await upload(job, writeSafetensors(tensors, metadata)) }
}

test.each([
  // They moved by 1 from the original; the other result lies by 0.4 and by 1.6 of that from them.
  [1.4, 'agrees', /distance over how far unlearning moved them 0\.4,/],
  [-0.6, 'differs', /moved them 1\.6,/],
] as const)('weights are compared by how far they moved: 1 and %d %s', async (other, verdict, words) => {
  const { runs } = await submit(submitter, { seeds: [0] })
  for (const [token, by] of [
    [runner, 1],
    [second, other],
  ] as const) {
    for (let job = await lease(token); job; job = await lease(token)) {
      const artifacts = job.spec.kind === 'unlearn' ? { artifacts: await movedBy(job, by) } : {}
      await read(await finish(job, artifacts))
    }
  }
  const stage = (await runOf(runs[0]!.id)).stages[1]!
  expect(stage.repeat?.verdict).toBe(verdict)
  expect(stage.repeat?.detail).toMatch(words)
})

test('what another runner computed too stays when its runner is revoked', async () => {
  const { token, id } = await enrol('first')
  const { runs } = await submit(submitter, { seeds: [0] })
  // The second runner trains, the first one unlearns and evaluates; then the second repeats what the first did.
  for (;;) {
    const job = (await lease(second))!
    if (job.spec.kind === 'unlearn') {
      await read(await fail(job, { outcome: 'released', reason: 'interrupted', message: 'stopped' }))
      break
    }
    await read(await finish(job))
  }
  await workOff(token)
  for (let job = await lease(second); job; job = await lease(second)) await read(await finish(job))
  await read(await ask(`/api/v1/runners/${id}`, { token: ADMIN, method: 'DELETE' }))
  expect((await runOf(runs[0]!.id)).stages.map(({ state }) => state)).toEqual(['done', 'done', 'done'])
})

test('what nobody else computed does not', async () => {
  const { token, id } = await enrol('first')
  const { runs } = await submit(submitter, { seeds: [0] })
  await workOff(token)
  await read(await ask(`/api/v1/runners/${id}`, { token: ADMIN, method: 'DELETE' }))
  expect((await runOf(runs[0]!.id)).stages.map(({ state }) => state)).toEqual(['queued', 'queued', 'queued'])
})

test('nothing is computed once more where no other runner is there', async () => {
  const { runners } = await read<{ runners: Runner[] }>(await ask('/api/v1/runners', { token: ADMIN }))
  for (const { id, name } of runners) {
    if (name === 'second') await read(await ask(`/api/v1/runners/${id}`, { token: ADMIN, method: 'DELETE' }))
  }
  await submit(submitter, { seeds: [0] })
  await workOff(runner)
  expect(await bindings.DB.prepare('SELECT COUNT(*) AS n FROM repeats').first('n')).toBe(0)
})

test('one of a stage that was set aside is called off', async () => {
  const { runs } = await submit(submitter, { seeds: [0] })
  await workOff(runner)
  const { key } = (await runOf(runs[0]!.id)).stages[1]!
  await read(await ask(`/api/v1/jobs/${key}/set-aside`, { token: ADMIN, json: { reason: 'made up' } }))
  const job = (await lease(second))!
  expect([job.spec.kind, job.spec.repeat]).toEqual(['unlearn', undefined])
})
