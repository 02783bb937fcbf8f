/** Limits of open runs, by author and in all. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  ADMIN,
  ask,
  bindings,
  errorOf,
  fail,
  lease,
  read,
  SLUG,
  submit,
  tokenFor,
  useFreshDatabase,
  workOff,
} from './support.ts'

useFreshDatabase()

const settings = bindings as { MAX_RUNS?: string; MAX_RUNS_PER_USER?: string }
let [ada, bob, runner] = ['', '', '']
beforeEach(async () => {
  settings.MAX_RUNS_PER_USER = '3'
  settings.MAX_RUNS = '5'
  ada = await tokenFor('submitter', 'ada')
  bob = await tokenFor('submitter', 'bob')
  runner = await tokenFor('runner')
})
afterEach(() => {
  delete settings.MAX_RUNS
  delete settings.MAX_RUNS_PER_USER
})
const retrain = (...seeds: number[]) => ({ benchmark: SLUG, method: 'retrain', seeds })
const asked = (token: string, ...seeds: number[]) => ask('/api/v1/submissions', { token, json: retrain(...seeds) })
const count = async () => (await read<{ submissions: unknown[] }>(await ask('/api/v1/submissions'))).submissions.length

test('an author with too many open runs is told how many there are and when to try again, and nothing is made', async () => {
  await submit(ada, retrain(0, 1))
  const answer = await asked(ada, 2, 3)
  expect(answer.headers.get('retry-after')).toBe('60')
  const { status, code, message, details } = await errorOf(answer)
  expect([status, code]).toEqual([429, 'run_limit'])
  expect(message).toContain('this would make 2 runs, but ada has 2 of at most 3 that may be open at once')
  expect(details).toEqual({ limit: 3, open: 2, asked: 2, retryAfterSeconds: 60 })
  expect(await count()).toBe(1)
  await submit(ada, retrain(2))
})

test('all authors together have a limit too', async () => {
  await submit(ada, retrain(0, 1, 2))
  expect(await errorOf(await asked(bob, 0, 1, 2))).toMatchObject({
    code: 'run_limit',
    details: { limit: 5, open: 3, asked: 3 },
  })
  await submit(bob, retrain(0, 1))
})

test.each([
  ['done', async () => void (await workOff(runner))],
  [
    'failed',
    async () => {
      for (let job = await lease(runner); job; job = await lease(runner))
        await read(await fail(job, { outcome: 'failed', reason: 'configuration', message: 'no' }))
    },
  ],
  [
    'cancelled',
    async () => {
      const { submissions } = await read<{ submissions: { id: string }[] }>(await ask('/api/v1/submissions'))
      for (const { id } of submissions)
        await read(await ask(`/api/v1/submissions/${id}/cancel`, { token: ADMIN, method: 'POST' }))
    },
  ],
])('runs that are %s make room again', async (_, end) => {
  await submit(ada, retrain(0, 1, 2))
  expect((await asked(ada, 3)).status).toBe(429)
  await end()
  await submit(ada, retrain(3, 4, 5))
})

test('requests at once never go over the limit together', async () => {
  const answers = await Promise.all([0, 1, 2, 3, 4, 5].map((seed) => asked(ada, seed)))
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 429, 429, 429])
})
