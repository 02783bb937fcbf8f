/** What a submitter is told about deliveries that brought no result. */
import { expect, test } from 'vitest'
import { type FailureReason, failureReasons } from '../../schema/protocol/fail.ts'
import { nextSteps } from '../../schema/protocol/next-step.ts'
import {
  ask,
  dispatcherAlarm,
  fail,
  finish,
  lease,
  read,
  runner,
  runOf,
  say,
  submit,
  submitter,
  useClock,
  useSubmitterAndRunner,
} from './support.ts'

useSubmitterAndRunner()

const wait = useClock('2026-11-01T12:00:00Z')
const textOf = async (path: string) =>
  (await (await ask(path)).text())
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .replaceAll('&#39;', "'")
const log = Array.from({ length: 150 }, (_, index) => `line ${index + 1}\n`).join('')

test.each(failureReasons)(
  '%s is shown with its message, its next step and the last 100 lines of its log',
  async (reason) => {
    const { id, runs } = await submit(submitter, { seeds: [0], method: 'retrain' })
    const job = (await lease(runner))!
    await read(await say(job, log))
    const message = `what happened with ${reason}`
    if (reason === 'runner_lost') {
      wait(91)
      await dispatcherAlarm()
    } else {
      if (reason === 'cancelled')
        await read(await ask(`/api/v1/submissions/${id}/cancel`, { token: submitter, method: 'POST' }))
      const outcome = reason === 'interrupted' || reason === 'cancelled' ? 'released' : 'failed'
      await read(await fail(job, { outcome, reason, message }, log))
    }
    const [stage] = (await runOf(runs[0]!.id)).stages
    const [first] = stage!.history
    const told = { reason, nextStep: nextSteps[reason as FailureReason], logBytes: log.length }
    expect(first).toMatchObject({ attempt: 1, ...told })
    expect(first!.message).toBeTruthy()
    const text = await textOf(`/runs/${runs[0]!.id}`)
    expect(text).toContain(nextSteps[reason as FailureReason])
    expect(text).toContain(first!.message)
    if (reason !== 'runner_lost') {
      expect(stage).toMatchObject({ reason, message: first!.message, nextStep: nextSteps[reason as FailureReason] })
      expect(text).toContain('line 150')
      expect(text).toContain('line 51')
      expect(text).not.toContain('line 50 ')
    }
    const whole = await (await ask(`/api/v1/jobs/${stage!.key}/log?attempt=1`)).text()
    expect(whole).toBe(log)
  },
)

test('fifty lost deliveries cost nothing, and the page says what happened', async () => {
  const { runs } = await submit(submitter, { seeds: [0], method: 'retrain' })
  for (let times = 0; times < 50; times++) {
    expect(await lease(runner)).not.toBeNull()
    wait(91)
  }
  await read(await finish((await lease(runner))!))
  const [stage] = (await runOf(runs[0]!.id)).stages
  expect(stage).toMatchObject({ state: 'done', deliveries: 51, lost: 50, failed: 0, reason: null })
  expect(stage!.history.map(({ outcome }) => outcome)).toEqual([...Array(50).fill('lost'), 'done'])
  const text = await textOf(`/runs/${runs[0]!.id}`)
  expect(text).toContain('Lost 50 times, then done')
  expect(text).toContain('Attempts 1 to 50 on')
  expect(text).toContain('cost the submitter nothing')
  // Three failures are still to be had: none was used up.
  const evaluation = { outcome: 'failed', reason: 'gpu_lost', message: 'gone' }
  expect(await read(await fail((await lease(runner))!, evaluation))).toEqual({ state: 'queued' })
  expect(await read(await fail((await lease(runner))!, evaluation))).toEqual({ state: 'queued' })
  expect(await read(await fail((await lease(runner))!, evaluation))).toEqual({ state: 'failed' })
})
