/** Every end of a run is one message for each webhook of its author. */
import { expect, test } from 'vitest'
import type { Webhook, WebhookMessage } from '../../schema/api/webhook.ts'
import { databaseOf } from '../../worker/bindings/database.ts'
import { endExpiredLeases, MAX_LOST } from '../../worker/queries/jobs/expire.ts'
import { ask, bindings, fail, lease, read, submit, tokenFor, useFreshDatabase, workOff } from './support.ts'

useFreshDatabase()

async function listener(name: string, events?: string[]) {
  const token = await tokenFor('submitter', name)
  const json = { url: `https://${name}.example.org/`, ...(events && { events }) }
  const { id } = await read<Webhook>(await ask('/api/v1/webhooks', { token, json }), 201)
  return { token, id }
}

/** What was written for a webhook, oldest first: the type, and what it is about. */
async function told({ token, id }: { token: string; id: string }) {
  const answer = await ask(`/api/v1/webhooks/${id}/deliveries?limit=100`, { token })
  const { deliveries } = await read<{ deliveries: WebhookMessage[] }>(answer)
  return deliveries
    .reverse()
    .map(({ type, payload }) => ({ type, ...(payload.data as Record<'run' | 'submission', unknown>) }))
}

const typesOf = (messages: { type: string }[]) => messages.map(({ type }) => type).sort()

/** Fails the next job for good. */
async function failNext(runner: string) {
  const job = (await lease(runner))!
  await read(await fail(job, { outcome: 'failed', reason: 'numeric_divergence', message: 'NaN' }))
  return job
}

test('each run that is done is one message, and the end of its submission one more', async () => {
  const ada = await listener('ada')
  const bob = await listener('bob')
  const submission = await submit(ada.token, { seeds: [0, 1], label: 'x' })
  await workOff(await tokenFor('runner'))
  const messages = await told(ada)
  // The references that came along are nobody's own.
  expect(typesOf(messages)).toEqual(['run.done', 'run.done', 'submission.ended'])
  const own = messages.filter((message) => message.submission === submission.id)
  expect(own.slice(0, 2)).toEqual(
    submission.runs.map(({ id, seed }) => ({
      type: 'run.done',
      run: id,
      submission: submission.id,
      benchmark: submission.benchmark,
      method: 'ft',
      label: 'x',
      seed,
      state: 'done',
      reason: null,
    })),
  )
  expect(own[2]).toEqual({
    type: 'submission.ended',
    submission: submission.id,
    benchmark: submission.benchmark,
    method: 'ft',
    label: 'x',
    runs: { done: 2, failed: 0, cancelled: 0 },
  })
  expect(await told(bob)).toEqual([])
})

test('a stage that fails ends every run that shares it, each with one message that says why', async () => {
  const [ada, bob] = [await listener('ada', ['run.failed', 'submission.ended']), await listener('bob')]
  const runner = await tokenFor('runner')
  // All need the same first training: of the original model for ft, and of retrain for the reference.
  const [first, second] = [
    await submit(ada.token, { seeds: [0] }),
    await submit(bob.token, { seeds: [0], label: 'too' }),
  ]
  for (let job = await lease(runner); job; job = await lease(runner)) {
    const original = job.spec.kind === 'train' && !job.spec.without
    if (original) await read(await fail(job, { outcome: 'failed', reason: 'numeric_divergence', message: 'NaN' }))
  }
  expect(await told(ada)).toMatchObject([
    { type: 'run.failed', run: first.runs[0]!.id, reason: 'numeric_divergence', state: 'failed' },
    { type: 'submission.ended', runs: { done: 0, failed: 1, cancelled: 0 } },
  ])
  expect(await told(bob)).toMatchObject([
    { type: 'run.failed', run: second.runs[0]!.id, reason: 'numeric_divergence' },
    { type: 'submission.ended', submission: second.id },
  ])
})

test('a try that fails but is given another one ends nothing', async () => {
  const ada = await listener('ada')
  const runner = await tokenFor('runner')
  await submit(ada.token, { method: 'retrain', seeds: [0] })
  await read(await fail((await lease(runner))!, { outcome: 'failed', reason: 'out_of_memory', message: 'full' }))
  expect(await told(ada)).toEqual([])
})

test('a run that goes on, since its failed stage was asked for anew, ends anew', async () => {
  const [ada, bob] = [await listener('ada'), await listener('bob')]
  const runner = await tokenFor('runner')
  const submission = await submit(ada.token, { method: 'retrain', seeds: [0] })
  await failNext(runner)
  expect(typesOf(await told(ada))).toEqual(['run.failed', 'submission.ended'])
  await submit(bob.token, { method: 'retrain', seeds: [0] })
  await workOff(runner)
  const messages = await told(ada)
  expect(messages.map(({ type, run }) => [type, run])).toEqual([
    ['run.failed', submission.runs[0]!.id],
    ['submission.ended', undefined],
    ['run.done', submission.runs[0]!.id],
    ['submission.ended', undefined],
  ])
  expect(typesOf(await told(bob))).toEqual(['run.done', 'submission.ended'])
})

test('a run whose stages all exist has ended when it is created', async () => {
  const ada = await listener('ada')
  const runner = await tokenFor('runner')
  await submit(await tokenFor('submitter', 'bob'), { method: 'retrain', seeds: [0] })
  await workOff(runner)
  await submit(ada.token, { method: 'retrain', seeds: [0] })
  expect(typesOf(await told(ada))).toEqual(['run.done', 'submission.ended'])
})

test('cancelling tells of the runs that it ended, once, and not of those that had ended', async () => {
  const ada = await listener('ada')
  const runner = await tokenFor('runner')
  const { id } = await submit(ada.token, { method: 'retrain', seeds: [0, 1] })
  // Two stages of the first seed.
  await workOff(runner, undefined, 2)
  for (let again = 0; again < 2; again++) {
    await read(await ask(`/api/v1/submissions/${id}/cancel`, { token: ada.token, method: 'POST' }))
  }
  const messages = await told(ada)
  expect(typesOf(messages)).toEqual(['run.cancelled', 'run.done', 'submission.ended'])
  expect(messages.at(-1)).toMatchObject({ runs: { done: 1, failed: 0, cancelled: 1 } })
})

test('a job that is lost for good fails its runs, which are told by whatever ends the lease', async () => {
  const ada = await listener('ada')
  await submit(ada.token, { method: 'retrain', seeds: [0] })
  const job = (await lease(await tokenFor('runner')))!
  await bindings.DB.prepare('UPDATE jobs SET lost = ? WHERE key = ?')
    .bind(MAX_LOST - 1, job.key)
    .run()
  await endExpiredLeases(databaseOf(bindings.DB), Date.now() + 1_000_000)
  expect(await told(ada)).toMatchObject([{ type: 'run.failed', reason: 'runner_lost' }, { type: 'submission.ended' }])
})
