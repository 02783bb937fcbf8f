/** The real agent against the real Worker, with stages that go wrong in processes of their own: each reason is told with its log,
 *  and a stage that blocks its thread keeps its lease. `HEARTBEAT_LEASE_MS` sets the lease; the stage blocks four times as long. */
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runnerAccess } from '../../runner/agent/access.ts'
import { apiOf } from '../../runner/agent/api.ts'
import { createClient } from '../../runner/agent/client.ts'
import { enrol } from '../../runner/agent/identity.ts'
import type { AgentEvent } from '../../runner/agent/job-context.ts'
import { runLoop } from '../../runner/agent/loop.ts'
import { runStageProcess } from '../../runner/agent/stage-process.ts'
import { openStore } from '../../runner/store/store.ts'
import type { Submission } from '../../schema/api/submission.ts'
import { type FailureReason, failureReasons } from '../../schema/protocol/fail.ts'
import { nextSteps } from '../../schema/protocol/next-step.ts'
import { cleanUp, temporaryFolder } from '../support/cli.ts'
import { fakeRunner } from '../support/fake-runner.ts'
import { faults } from '../support/faults.ts'
import { probe } from '../support/probe.ts'
import { startServer } from '../support/server.ts'

const SLUG = 'fashion-mnist-5k.small-cnn.random-10'
const LEASE_MS = Number(process.env.HEARTBEAT_LEASE_MS ?? 3000)
const entry = resolve(import.meta.dirname, '../support/fault-stage.ts')

/** A server on which a stage may take this long, and someone who submits to it. */
async function siteWith(stageTimeoutMs: number) {
  const vars = { LEASE_MS, RENEW_EVERY_MS: LEASE_MS / 3, POLL_MS: 500, STAGE_TIMEOUT_MS: stageTimeoutMs }
  const server = await startServer(
    Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, String(value)])),
  )
  const plain = fakeRunner(server)
  return { server, plain, author: await plain.tokenFor('submitter', 'ada') }
}
type Site = Awaited<ReturnType<typeof siteWith>>

let sites: Record<'patient' | 'hasty', Site>
beforeAll(async () => {
  process.env.BLOCK_MS = String(4 * LEASE_MS)
  sites = { patient: await siteWith(5 * LEASE_MS), hasty: await siteWith(2 * LEASE_MS) }
})
afterAll(async () => {
  for (const { server } of Object.values(sites ?? {})) await server.stop()
  await cleanUp()
})

type Fault = (typeof faults)[number]

const submit = ({ plain, author }: Site, ...chosen: Fault[]): Promise<Submission> =>
  plain.submit(author, { benchmark: SLUG, method: 'retrain', seeds: chosen.map((fault) => faults.indexOf(fault)) })
const cancel = ({ plain, author }: Site, { id }: Submission) =>
  plain.post(`/api/v1/submissions/${id}/cancel`, author, {})
const run = ({ server }: Site, id: string) => apiOf(createClient({ server: server.url })).run(id)

/** Its page and its API tell what happened. */
async function expectTold(site: Site, id: string, reason: FailureReason): Promise<void> {
  const [stage] = (await run(site, id)).stages
  expect(stage).toMatchObject({ reason, nextStep: nextSteps[reason] })
  const last = stage!.history.at(-1)!
  expect(last).toMatchObject({ reason, nextStep: nextSteps[reason] })
  expect(last.message).toBeTruthy()
  const page = await (await fetch(`${site.server.url}/runs/${id}`)).text()
  for (const text of [nextSteps[reason], `${reason} line 120`, `${reason} line 40`]) expect(page).toContain(text)
}

/** The agent with the faulty stages, until `done` says so. */
async function work({ server, plain }: Site, done: (event: AgentEvent, stop: () => void) => unknown): Promise<void> {
  const home = await temporaryFolder()
  const open = createClient({ server: server.url })
  const identity = await enrol({ home, client: open }, { secret: await plain.invite(), name: 'lab' })
  const client = createClient({
    server: server.url,
    access: runnerAccess({ client: open, identity, onTrouble: () => {} }),
  })
  const stopping = new AbortController()
  await runLoop({
    client,
    identity,
    store: openStore(home),
    places: { directories: [], cache: join(home, 'datasets') },
    threads: 1,
    provider: 'cpu',
    probe,
    runStage: (options) => runStageProcess({ ...options, entry, graceMs: 500 }),
    drain: new AbortController().signal,
    signal: stopping.signal,
    emit: (event) => done(event, () => stopping.abort(new Error('stopped by the test'))),
  })
}

test.concurrent('a stage that blocks its thread for four times the lease keeps it', async () => {
  const { patient } = sites
  const { runs } = await submit(patient, 'blocks')
  await work(patient, (event, stop) => event.kind === 'idle' && stop())
  const { state, stages } = await run(patient, runs[0]!.id)
  expect(state).toBe('done')
  for (const { history } of stages) {
    expect(history.map(({ outcome }) => outcome)).toEqual(['done'])
    const [{ leasedAt, endedAt }] = history as [(typeof history)[number]]
    expect(Date.parse(endedAt!) - Date.parse(leasedAt)).toBeGreaterThan(4 * LEASE_MS)
  }
})

test.concurrent('every reason is produced by a fault and told with the end of its log', async () => {
  const { hasty } = sites
  const special: Fault[] = ['interrupted', 'runner_lost', 'cancelled', 'blocks']
  const reasons = failureReasons.filter((reason) => !special.includes(reason))
  const many = await submit(hasty, ...reasons)
  await work(hasty, (event, stop) => event.kind === 'idle' && stop())
  for (const [index, reason] of reasons.entries()) await expectTold(hasty, many.runs[index]!.id, reason)

  const interrupted = await submit(hasty, 'interrupted')
  await work(hasty, (event, stop) => event.kind === 'log' && event.line.endsWith('line 120') && setTimeout(stop, 200))
  await expectTold(hasty, interrupted.runs[0]!.id, 'interrupted')
  await cancel(hasty, interrupted)

  const cancelled = await submit(hasty, 'cancelled')
  await work(hasty, (event, stop) => {
    if (event.kind === 'log' && event.line.endsWith('line 120')) void cancel(hasty, cancelled)
    if (event.kind === 'idle') stop()
  })
  await expectTold(hasty, cancelled.runs[0]!.id, 'cancelled')

  const silent = await submit(hasty, 'runner_lost')
  const job = (await hasty.plain.lease(await hasty.plain.tokenFor('runner', 'silent')))!
  await hasty.plain.say(job, Array.from({ length: 120 }, (_, line) => `runner_lost line ${line + 1}\n`).join(''))
  await sleep(LEASE_MS + 2000)
  await expectTold(hasty, silent.runs[0]!.id, 'runner_lost')
})
