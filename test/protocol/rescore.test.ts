/** Re-scoring the board of the real Worker from the command line: the Worker's share, and what it leaves to this machine. */
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { plainTools } from '../../runner/science/plain-tools.ts'
import { scoreEvidence } from '../../runner/science/score.ts'
import { generation } from '../../runner/science/tasks/generation/task.ts'
import type { Board } from '../../schema/api/board.ts'
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
  await runner.submit(submitter, { benchmark: GENERATION, method: 'retrain', seeds: [0] })
  let evaluated = 0
  for (let job = await runner.lease(token); job; job = await runner.lease(token)) {
    const { spec } = job
    // As many features as a real judge has: KID of them is more than a Worker may compute.
    const files = await filesOf(spec, undefined, { ua: 90, ra: 80, fd: 20, dimension: 64 })
    const artifacts: StageResult['artifacts'] = {}
    for (const [name, bytes] of Object.entries(files)) artifacts[name] = await runner.upload(job, bytes)
    // The first value is right, the second is invented.
    const metrics =
      spec.kind === 'evaluate' ? await kernelDistance(files, (value) => (evaluated++ === 0 ? value : 0.5)) : {}
    await runner.finish(job, { artifacts, seconds: { setUp: 1, train: 9 }, device, versions: {}, metrics, losses: [] })
  }
  const { references } = (await (await fetch(`${server.url}/api/v1/benchmarks/${GENERATION}/board`)).json()) as Board
  const ids = references.flatMap(({ runs }) => runs.map(({ id }) => id))
  const before = await Promise.all(ids.map(runOf))
  for (const { metrics } of before) {
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
  expect(dry.stderr).toContain('Scored 2 evaluations in ')
  expect(dry.stderr).toContain('1 value would change; 1 value confirmed that only the runner had computed')
  expect(await Promise.all(ids.map(runOf))).toEqual(before)

  const first = await cli(words)
  expect(first.stderr).toContain(`${GENERATION}: the server looked at 2 of 2`)
  expect(first.stderr).toContain('1 value changed; 1 value confirmed')
  expect(first.code).toBe(0)
  const values = (await Promise.all(ids.map(runOf))).map(({ metrics }) => metrics['classifier-kd']!)
  for (const value of values) expect(value).toMatchObject({ confirmed: true, rescored: { by: 'admin' } })
  const [right, invented] = values.toSorted((a, b) => Number(isWrong(a)) - Number(isWrong(b)))
  expect(invented).toMatchObject({ value: expect.closeTo(right!.value, 4), earlier: [{ value: 0.5, by: 'lab' }] })
  // Evidence that came for this is gone again.
  expect((await readdir(join(home, 'objects'), { recursive: true })).filter((name) => name.length > 60)).toEqual([])

  const second = await cli([...words, '--json'])
  expect(JSON.parse(second.stdout)).toMatchObject({ evaluations: 2, changes: [], confirmed: 0, problems: [] })
  expect(second.stderr).toContain('every value is as it was')
  const missing = await cli([...words, '--only-missing'])
  expect(missing.stderr).not.toContain('The server left work')
})

const isWrong = ({ earlier }: Run['metrics'][string]) => earlier.some(({ value }) => value === 0.5)

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
