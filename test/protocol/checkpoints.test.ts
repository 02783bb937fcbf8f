/** A long stage that loses its runner goes on with another one, from what the first left on the server. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Api, apiOf } from '../../runner/agent/api.ts'
import { createClient } from '../../runner/agent/client.ts'
import { openStore } from '../../runner/store/store.ts'
import type { Run } from '../../schema/api/run.ts'
import { type CliProcess, cleanUp, startCli, temporaryFolder } from '../support/cli.ts'
import { fakeRunner } from '../support/fake-runner.ts'
import { type Server, startServer } from '../support/server.ts'

const SLUG = 'fashion-mnist-5k.small-cnn.random-10'
const WEIGHTS = 'weights.safetensors'

let server: Server
let api: Api
let homes: string[]

beforeAll(async () => {
  // Leases and checkpoints in seconds, so that the test does not wait for minutes.
  server = await startServer({ LEASE_MS: '4000', RENEW_EVERY_MS: '1000', POLL_MS: '500', CHECKPOINT_EVERY_MS: '1000' })
  api = apiOf(createClient({ server: server.url }))
  homes = [await temporaryFolder(), await temporaryFolder(), await temporaryFolder()]
})

afterAll(async () => {
  await cleanUp()
  await server.stop()
})

const startRunner = async (name: string, home: string) =>
  startCli(['runner', '--server', server.url, '--home', home, '--name', name, '--threads', '1', '--json'], {
    PALIMPSEST_ENROLMENT: await fakeRunner(server).invite(),
  })

const submit = async (seed: number): Promise<string> => {
  const { tokenFor, submit } = fakeRunner(server)
  const body = { benchmark: SLUG, method: 'retrain', seeds: [seed] }
  return (await submit(await tokenFor('submitter', 's'), body)).runs[0]!.id
}

const logOf = async (key: string, attempt: number) =>
  (await fetch(`${server.url}/api/v1/jobs/${key}/log?attempt=${attempt}`)).text()

const beginningsOf = async (key: string) => {
  const { manifest } = await createClient({ server: server.url }).manifest(key)
  return manifest!.began
}

const idOf = async (name: string) => {
  const runners = await apiOf(createClient({ server: server.url, token: server.adminToken })).runners()
  return runners.find((runner) => runner.name === name)!.id
}

/** The training of a run, once it is as asked for. */
async function training(run: string, until: (stage: Run['stages'][number]) => boolean): Promise<Run['stages'][number]> {
  for (let waited = 0; waited < 300_000; waited += 200) {
    const stage = (await api.run(run)).stages[0]!
    if (until(stage)) return stage
    await sleep(200)
  }
  throw new Error('waited in vain')
}

const stop = async ({ child, ended }: CliProcess, signal: NodeJS.Signals) => {
  child.kill(signal)
  return ended
}

test('a training whose runner is killed goes on elsewhere, to the same bytes as one that was never interrupted', async () => {
  const run = await submit(0)
  const first = await startRunner('first', homes[0]!)
  await first.said('the server has a checkpoint of this stage')
  await first.said(/"phase":"epoch [4-9] of 15"/)
  await stop(first, 'SIGKILL')
  const interrupted = await training(run, () => true)

  const second = await startRunner('second', homes[1]!)
  const done = await training(run, ({ state }) => state === 'done')
  expect(done).toMatchObject({ deliveries: 2, lost: 1, failed: 0, runner: 'second' })
  const log = await logOf(done.key, 2)
  expect(log).toContain('goes on from the checkpoint of an earlier delivery')
  // The first epochs were not computed again.
  expect(second.output().stdout).not.toContain('"phase":"epoch 1 of 15"')
  expect(interrupted.key).toBe(done.key)
  await stop(second, 'SIGKILL')
  // It says whose checkpoint it went on from, and the server which one that was.
  const [lost] = done.history
  const [beginning] = await beginningsOf(done.key)
  expect(beginning).toEqual(done.history[1]!.checkpoint)
  expect(beginning).toMatchObject({ runner: await idOf(lost!.runner), position: expect.any(Number) })
  const verified = await startCli(['verify', run, '--server', server.url]).ended
  expect(verified).toMatchObject({ code: 0 })
  expect(verified.stdout).toContain(
    `went on from the checkpoint ${beginning!.sha256.slice(0, 12)} of ${beginning!.runner}`,
  )
  // Nothing of it is left on the second runner but the result.
  expect(await readdir(join(homes[1]!, 'partial'))).toEqual([])

  // The same stage on a third store, uninterrupted.
  const { code } = await startCli([
    'run',
    SLUG,
    '--method',
    'retrain',
    '--seeds',
    '0',
    '--threads',
    '1',
    '--home',
    homes[2]!,
  ]).ended
  expect(code).toBe(0)
  const store = openStore(homes[2]!)
  const records = await Promise.all((await store.stageKeys()).map(store.readRecord))
  const whole = records.find((record) => record?.spec?.kind === 'train')!.result
  expect(done.artifacts[WEIGHTS]).toEqual(whole.artifacts[WEIGHTS])
  expect(done.losses).toEqual(whole.losses)
})

test('a runner that is stopped leaves its newest checkpoint on the server', async () => {
  const run = await submit(1)
  const { lease, tokenFor } = fakeRunner(server)
  const runner = await startRunner('stopped', homes[0]!)
  await training(run, ({ state, progress }) => state === 'leased' && /^epoch [2-9]/.test(progress?.phase ?? ''))
  // The first signal asks it to finish its job, the second to give it back.
  runner.child.kill('SIGTERM')
  await sleep(500)
  expect((await stop(runner, 'SIGTERM')).code).toBe(0)
  expect(await training(run, () => true)).toMatchObject({ state: 'queued', reason: 'interrupted', lost: 0, failed: 0 })
  const job = (await lease(await tokenFor('runner', 'r')))!
  const { artifact, position } = job.checkpoint!
  expect(position).toBeGreaterThan(1)
  const stored = await fetch(`${server.url}/api/v1/artifacts/${artifact.sha256}`, { method: 'HEAD' })
  expect(Number(stored.headers.get('content-length'))).toBe(artifact.bytes)
})
