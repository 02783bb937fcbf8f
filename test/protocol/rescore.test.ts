/** Re-scoring the board of the real Worker from the command line: the Worker's share, and what it leaves to this machine. */
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { plainTools } from '../../runner/science/plain-tools.ts'
import { scoreEvidence } from '../../runner/science/score.ts'
import { generation } from '../../runner/science/tasks/generation/task.ts'
import type { Run } from '../../schema/api/run.ts'
import type { StageResult } from '../../schema/result.ts'
import { filesOf } from '../support/artifacts.ts'
import { cleanUp, cli, temporaryFolder } from '../support/cli.ts'
import { fakeRunner } from '../support/fake-runner.ts'
import { device } from '../support/probe.ts'
import { type Server, startServer } from '../support/server.ts'

const SLUG = 'fashion-mnist-5k.small-cnn.random-10'
const GENERATION = 'fashion-mnist-5k-16.ddpm-unet.class-0'

let server: Server
beforeAll(async () => {
  server = await startServer()
})
afterAll(async () => {
  await server?.stop()
  await cleanUp()
})

const runOf = async (id: string): Promise<Run> =>
  (await fetch(`${server.url}/api/v1/runs/${id}`)).json() as Promise<Run>

test('what is too much work for the Worker is a claim until another machine has computed it from the evidence', async () => {
  const runner = fakeRunner(server)
  const token = await runner.tokenFor('runner', 'lab')
  const submitter = await runner.tokenFor('submitter', 'ada')
  const { runs } = await runner.submit(submitter, { benchmark: GENERATION, method: 'retrain', seeds: [0, 1] })
  for (let job = await runner.lease(token); job; job = await runner.lease(token)) {
    const { spec } = job
    // As many features as a real judge has: KID of them is more than a Worker may compute.
    const files = await filesOf(spec, undefined, { ua: 90, ra: 80, fd: 20, dimension: 64 })
    const artifacts: StageResult['artifacts'] = {}
    for (const [name, bytes] of Object.entries(files)) artifacts[name] = await runner.upload(job, bytes)
    // Of seed 0 the value is right, of seed 1 it is invented.
    const metrics =
      spec.kind === 'evaluate' ? await kernelDistance(files, (value) => (spec.seed === 0 ? value : 0.5)) : {}
    await runner.finish(job, { artifacts, seconds: { setUp: 1, train: 9 }, device, versions: {}, metrics, losses: [] })
  }
  const [right, invented] = await Promise.all(runs.map(({ id }) => runOf(id)))
  for (const { metrics } of [right!, invented!]) {
    expect(metrics['generated-ua']).toMatchObject({ value: 90, confirmed: true, computed: { by: 'server' } })
    expect(metrics['classifier-fd']).toMatchObject({ confirmed: true })
    expect(metrics['classifier-kd']).toMatchObject({ confirmed: false, computed: { by: 'lab' } })
  }
  const folder = await temporaryFolder()
  const tokenFile = join(folder, 'token')
  await writeFile(tokenFile, server.adminToken)
  const home = join(folder, 'home')
  const words = [
    'rescore',
    GENERATION,
    '--server',
    server.url,
    '--token-file',
    tokenFile,
    '--home',
    home,
    '--threads',
    '2',
  ]

  const dry = await cli([...words, '--dry-run'])
  expect(dry.stderr).toContain('Scored 4 evaluations in ')
  expect(dry.stderr).toContain('2 values would change; 2 values confirmed that only the runner had computed')
  expect((await runOf(runs[0]!.id)).metrics).toEqual(right!.metrics)

  const first = await cli(words)
  expect(first.stderr).toContain(`${GENERATION}: the server looked at 4 of 4`)
  expect(first.stderr).toContain('2 values changed; 2 values confirmed')
  expect(first.code).toBe(0)
  const confirmed = { confirmed: true, rescored: { by: 'admin' } }
  const kd = right!.metrics['classifier-kd']!.value
  expect((await runOf(runs[0]!.id)).metrics['classifier-kd']).toMatchObject(confirmed)
  expect((await runOf(runs[1]!.id)).metrics['classifier-kd']).toMatchObject({
    ...confirmed,
    value: expect.closeTo(kd, 4),
    earlier: [{ value: 0.5, by: 'lab' }],
  })
  // Evidence that came for this is gone again.
  expect((await readdir(join(home, 'objects'), { recursive: true })).filter((name) => name.length > 60)).toEqual([])

  const second = await cli([...words, '--json'])
  expect(JSON.parse(second.stdout)).toMatchObject({ evaluations: 4, changes: [], confirmed: 0, problems: [] })
  expect(second.stderr).toContain('every value is as it was')
  const missing = await cli([...words, '--only-missing'])
  expect(missing.stderr).not.toContain('The server left work')
})

/** With the value that it has, or another. */
async function kernelDistance(files: Record<string, Uint8Array>, claim: (value: number) => number) {
  const evidence = generation.decode(new Map(Object.entries(files)))
  const tools = plainTools({ svcSamples: 0, svcCacheBytes: 0, multiplications: 1e10 })
  const { values } = await scoreEvidence(generation, evidence, ['classifier-kd/small-cnn-features@1'], tools)
  return mapValues(values, ({ identity, value }) => ({ identity, value: claim(value) }))
}

const mapValues = <From, To>(values: Record<string, From>, to: (value: From) => To): Record<string, To> =>
  Object.fromEntries(Object.entries(values).map(([id, value]) => [id, to(value)]))

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
