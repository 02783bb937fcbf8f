/** Re-scoring the board of the real Worker from the command line: the Worker's share, and what it leaves to this machine. */
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeEvidence } from '../../runner/science/tasks/classification/evidence/codec.ts'
import type { Run } from '../../schema/api/run.ts'
import { cleanUp, cli, temporaryFolder } from '../support/cli.ts'
import { fakeRunner } from '../support/fake-runner.ts'
import { device } from '../support/probe.ts'
import { type Server, startServer } from '../support/server.ts'

const SLUG = 'fashion-mnist-5k.small-cnn.random-10'

let server: Server
beforeAll(async () => {
  server = await startServer()
})
afterAll(async () => {
  await server?.stop()
  await cleanUp()
})

/** Sure and right about retained, torn about all others. */
function answers(count: number, sure: boolean) {
  const logits = Float32Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? (sure ? 6 : 0.5) : 0))
  return { logits, labels: new Uint8Array(count) }
}

const runOf = async (id: string): Promise<Run> =>
  (await fetch(`${server.url}/api/v1/runs/${id}`)).json() as Promise<Run>

test('the Worker corrects what it can, this machine what is too large for it, and a second time nothing changes', async () => {
  const runner = fakeRunner(server)
  const token = await runner.tokenFor('runner', 'lab')
  const submitter = await runner.tokenFor('submitter', 'ada')
  const { runs } = await runner.submit(submitter, { benchmark: SLUG, method: 'retrain', seeds: [0, 1] })
  for (let job = await runner.lease(token); job; job = await runner.lease(token)) {
    const result = { artifacts: {}, seconds: { setUp: 1, train: 9 }, device, versions: {}, metrics: {}, losses: [] }
    if (job.spec.kind !== 'evaluate') await runner.finish(job, result)
    else {
      // Of seed 1 the attack is fitted on 20,002 samples, more than a Worker takes.
      const test = job.spec.seed === 1 ? 10_001 : 20
      const forget = answers(10, false)
      const sets = { forget, retain: answers(test, true), test: answers(test, false) }
      const evidence = encodeEvidence({ classes: 2, forgottenClass: null, ...sets })
      const artifacts = { 'evidence.safetensors': await runner.upload(job, evidence) }
      const metrics = { ua: { identity: 'ua/accuracy@1', value: 50 } }
      await runner.finish(job, { ...result, artifacts, metrics })
    }
  }
  const folder = await temporaryFolder()
  const tokenFile = join(folder, 'token')
  await writeFile(tokenFile, server.adminToken)
  const home = join(folder, 'home')
  const words = ['rescore', SLUG, '--server', server.url, '--token-file', tokenFile, '--home', home, '--threads', '2']

  const dry = await cli([...words, '--dry-run'])
  expect(dry.stderr).toContain('Scored 2 evaluations in ')
  expect(dry.stderr).toContain('8 values would change')
  expect(Object.keys((await runOf(runs[0]!.id)).metrics)).toEqual(['ua'])

  const first = await cli(words)
  expect(first.stderr).toContain(`${SLUG}: the server looked at 2 of 2`)
  expect(first.stderr).toContain('8 values changed')
  expect(first.stdout).toMatch(/ua\/accuracy@1 +0 +2 +50\.0000/)
  expect(first.stdout).toMatch(/mia\/svc-confidence@1 +2 +0/)
  expect(first.code).toBe(0)
  const [small, large] = await Promise.all(runs.map(({ id }) => runOf(id)))
  for (const { metrics } of [small!, large!]) {
    // All of D_f looks like the test set, and is right all the same.
    expect([metrics.ua?.value, metrics.mia?.value]).toEqual([0, 100])
    expect(metrics.ua?.earlier).toMatchObject([{ value: 50, by: 'lab' }])
  }
  expect([small!.metrics.mia?.rescored?.by, large!.metrics.mia?.rescored?.by]).toEqual(['server', 'admin'])
  // Evidence that came for this is gone again.
  expect((await readdir(join(home, 'objects'), { recursive: true })).filter((name) => name.length > 60)).toEqual([])

  const second = await cli([...words, '--json'])
  expect(JSON.parse(second.stdout)).toMatchObject({ evaluations: 2, changes: [], problems: [] })
  expect(second.stderr).toContain('every value is as it was')
  const missing = await cli([...words, '--only-missing'])
  expect(missing.stderr).not.toContain('The server left work')
})

test('a token that is no admin is refused, and so are servers without a slug', async () => {
  const file = join(await temporaryFolder(), 'token')
  await writeFile(file, await fakeRunner(server).tokenFor('submitter', 'eve'))
  const words = ['--server', server.url, '--token-file', file]
  const refused = await cli(['rescore', SLUG, ...words])
  expect(refused.stderr).toContain('expected an admin token, got a submitter token')
  expect(refused.code).toBe(2)
  const nothing = await cli(['rescore', ...words])
  expect(nothing.stderr).toContain('--server: expected the slug of at least one benchmark or suite, got none')
  expect(nothing.code).toBe(2)
})
