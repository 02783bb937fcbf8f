/** Submissions: the runs they make, what they share, what is refused, and how they are cancelled. */
import { expect, test } from 'vitest'
import type { Board } from '../../schema/api/board.ts'
import type { Submission } from '../../schema/api/submission.ts'
import { ask, errorOf, lease, read, SLUG, submit, tokenFor, useFreshDatabase } from './support.ts'

useFreshDatabase()

test('a submission has one queued run a seed, with defaults, preset and own values resolved', async () => {
  const token = await tokenFor('submitter', 'ada')
  const submission = await submit(token, { params: { learningRate: 0.02 }, seeds: [3, 1], label: 'slow' })
  expect(submission).toMatchObject({ benchmark: SLUG, method: 'ft', author: 'ada', label: 'slow', methodVersion: 1 })
  // batchSize 64 and epochs 5 are the benchmark's preset, momentum 0.9 the method's default.
  expect(submission.params).toMatchObject({ learningRate: 0.02, epochs: 5, batchSize: 64, momentum: 0.9 })
  expect(submission.runs.map(({ seed, state }) => [seed, state])).toEqual([
    [3, 'queued'],
    [1, 'queued'],
  ])
})

test('what tuning cost, as an author says, is shown with the submission, its row and its pages', async () => {
  const token = await tokenFor('submitter', 'ada')
  const tuning = { trials: 7, pilots: [1000, 1001], seconds: 250.5 }
  const { id } = await submit(token, { seeds: [0], tuning })
  const silent = await submit(token, { seeds: [0], params: { epochs: 7 } })
  expect(await read<Submission>(await ask(`/api/v1/submissions/${id}`))).toMatchObject({ tuning })
  expect(silent.tuning).toBeNull()
  const { rows } = await read<Board>(await ask(`/api/v1/benchmarks/${SLUG}/board`))
  expect(rows.map((row) => [row.submission, row.tuning])).toEqual([
    [id, tuning],
    [silent.id, null],
  ])
  const words = 'tuned by 7 trials on 2 pilot seeds, 4 min 11 s'
  expect(await (await ask(`/submissions/${id}`)).text()).toContain(`${words}, as ada says`)
  const board = await (await ask(`/boards/${SLUG}`)).text()
  expect(board.split(words)).toHaveLength(2)
  const csv = await (await ask(`/api/v1/benchmarks/${SLUG}/board.csv`)).text()
  expect(csv).toContain('tuning trials,tuning pilots,tuning seconds')
  expect(csv).toContain(',7,1000 1001,250.5,')
})

test('of equal settings whose authors say different things, the row shows what cost most; 0 trials are no tuning', async () => {
  const [ada, bob] = [await tokenFor('submitter', 'ada'), await tokenFor('submitter', 'bob')]
  await submit(ada, { seeds: [0], tuning: { trials: 0, pilots: [], seconds: 0 } })
  expect(await (await ask(`/boards/${SLUG}`)).text()).toContain('not tuned')
  const claimed = { trials: 3, pilots: [1000], seconds: 9 }
  await submit(bob, { seeds: [1], tuning: claimed })
  const { rows } = await read<Board>(await ask(`/api/v1/benchmarks/${SLUG}/board`))
  expect(rows.map(({ tuning }) => tuning)).toEqual([claimed])
})

test('a claim of another form is refused with its place', async () => {
  const json = { benchmark: SLUG, method: 'ft', tuning: { trials: 7.5, pilots: [1000], seconds: 1 } }
  const { status, message } = await errorOf(
    await ask('/api/v1/submissions', { token: await tokenFor('submitter'), json }),
  )
  expect([status, message]).toEqual([400, expect.stringContaining('tuning.trials: expected int')])
})

test('seeds default to those of the benchmark', async () => {
  const submission = await submit(await tokenFor('submitter'))
  expect(submission.runs.map(({ seed }) => seed)).toEqual([0, 1, 2])
})

test('a method brings along the retrain runs that it is compared with, once', async () => {
  const token = await tokenFor('submitter', 'ada')
  await submit(token, { seeds: [0, 1] })
  await submit(token, { seeds: [1, 2], params: { epochs: 7 } })
  const { submissions } = await read<{ submissions: Submission[] }>(await ask('/api/v1/submissions?method=retrain'))
  // Newest first: seed 2 was missing, then seeds 0 and 1.
  expect(submissions.map(({ runs }) => runs.map(({ seed }) => seed))).toEqual([[2], [0, 1]])
  expect(submissions.map(({ author }) => author)).toEqual(['palimpsest', 'palimpsest'])
})

test('the same idempotency key with the same body answers with the first submission', async () => {
  const token = await tokenFor('submitter')
  const headers = { 'idempotency-key': 'k1' }
  const json = { benchmark: SLUG, method: 'ft', seeds: [0] }
  const first = await read<Submission>(await ask('/api/v1/submissions', { token, json, headers }), 201)
  const again = await read<Submission>(await ask('/api/v1/submissions', { token, json, headers }), 200)
  expect(again.id).toBe(first.id)
})

test('the same idempotency key with another body is refused, but belongs to one token only', async () => {
  const [ada, bob] = [await tokenFor('submitter', 'ada'), await tokenFor('submitter', 'bob')]
  const headers = { 'idempotency-key': 'k1' }
  const json = { benchmark: SLUG, method: 'ft', seeds: [0] }
  await read(await ask('/api/v1/submissions', { token: ada, json, headers }), 201)
  const other = await ask('/api/v1/submissions', { token: ada, json: { ...json, seeds: [1] }, headers })
  expect(await errorOf(other)).toMatchObject({ status: 409, code: 'idempotency_mismatch' })
  await read(await ask('/api/v1/submissions', { token: bob, json: { ...json, seeds: [1] }, headers }), 201)
})

test('twenty requests with one idempotency key at once make one submission', async () => {
  const token = await tokenFor('submitter')
  const json = { benchmark: SLUG, method: 'ft', seeds: [0] }
  const options = { token, json, headers: { 'idempotency-key': 'k1' } }
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask('/api/v1/submissions', options)))
  const ids = await Promise.all(answers.map(async (answer) => ((await answer.json()) as Submission).id))
  expect(new Set(ids).size).toBe(1)
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
})

test('parameters are refused with path, expectation and what came', async () => {
  const token = await tokenFor('submitter')
  const json = { benchmark: SLUG, method: 'ft', params: { epochs: 0, learningRate: 'fast', depth: 3 } }
  const { status, code, message } = await errorOf(await ask('/api/v1/submissions', { token, json }))
  expect([status, code]).toEqual([400, 'invalid_parameters'])
  expect(message).toContain('params.epochs: expected at least 1, got 0')
  expect(message).toContain('params.learningRate: expected number, got "fast"')
  expect(message).toContain('params.depth: unknown')
})

test('an unknown benchmark or method is refused with the known ones', async () => {
  const token = await tokenFor('submitter')
  const benchmark = await ask('/api/v1/submissions', { token, json: { benchmark: 'mnist', method: 'ft' } })
  const { status, message } = await errorOf(benchmark)
  expect(status).toBe(404)
  expect(message).toContain(SLUG)
  const method = await errorOf(await ask('/api/v1/submissions', { token, json: { benchmark: SLUG, method: 'magic' } }))
  expect(method).toMatchObject({ status: 404, code: 'unknown_method' })
  expect(method.message).toContain('retrain')
})

test('a body that is no submission is refused with the field', async () => {
  const token = await tokenFor('submitter')
  const answer = await ask('/api/v1/submissions', { token, json: { benchmark: SLUG, method: 'ft', seeds: [1, 1] } })
  expect(await errorOf(answer)).toEqual({
    status: 400,
    code: 'invalid_request',
    message: 'seeds: expected different seeds, got [1,1]',
  })
  const broken = await ask('/api/v1/submissions', {
    token,
    method: 'POST',
    body: '{',
    headers: { 'content-type': 'application/json' },
  })
  expect((await errorOf(broken)).status).toBe(400)
})

test('a body over 256 KiB is refused', async () => {
  const token = await tokenFor('submitter')
  const answer = await ask('/api/v1/submissions', { token, json: { label: 'x'.repeat(300_000) } })
  expect(await errorOf(answer)).toMatchObject({ status: 413, code: 'body_too_large' })
})

test('cancelling ends unfinished runs and leaves what others need', async () => {
  const [ada, bob, runner] = [
    await tokenFor('submitter', 'ada'),
    await tokenFor('submitter', 'bob'),
    await tokenFor('runner'),
  ]
  const mine = await submit(ada, { seeds: [0] })
  const same = await submit(bob, { seeds: [0] })
  const cancel = (token: string, { id }: Submission) =>
    ask(`/api/v1/submissions/${id}/cancel`, { token, method: 'POST' })
  expect(await errorOf(await cancel(bob, mine))).toMatchObject({ status: 403, code: 'forbidden' })
  const cancelled = await read<Submission>(await cancel(ada, mine))
  expect(cancelled.runs[0]?.state).toBe('cancelled')
  expect((await read<Submission>(await ask(`/api/v1/submissions/${same.id}`))).runs[0]?.state).toBe('queued')
  // The reference comes first in the queue; the original is still wanted by bob.
  const kinds = [await lease(runner), await lease(runner)].map((job) => job?.spec.kind)
  expect(kinds).toEqual(['train', 'train'])
})

test('lists are paged and filtered', async () => {
  const token = await tokenFor('submitter')
  for (const epochs of [1, 2, 3]) await submit(token, { seeds: [0], params: { epochs } })
  const first = await read<{ submissions: Submission[]; next: string }>(
    await ask('/api/v1/submissions?method=ft&limit=2'),
  )
  expect(first.submissions.map(({ params }) => params.epochs)).toEqual([3, 2])
  const rest = await read<{ submissions: Submission[]; next: null }>(
    await ask(`/api/v1/submissions?method=ft&limit=2&before=${first.next}`),
  )
  expect(rest.submissions.map(({ params }) => params.epochs)).toEqual([1])
  expect(rest.next).toBeNull()
})
