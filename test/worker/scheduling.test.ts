/** Which runner gets which job: requirements, fairness among authors, and priority. */
import { sql } from 'drizzle-orm'
import { beforeEach, expect, test } from 'vitest'
import type { Queue } from '../../schema/api/queue.ts'
import { engines } from '../../schema/engine.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import { type Able, meets, type Requirements } from '../../schema/requirements.ts'
import { databaseOf } from '../../worker/bindings/database.ts'
import { nextJob } from '../../worker/queries/jobs/next-job.ts'
import { probe } from '../support/probe.ts'
import {
  ADMIN,
  ask,
  bindings,
  errorOf,
  finish,
  lease,
  read,
  submit,
  tokenFor,
  useClock,
  useFreshDatabase,
} from './support.ts'

useFreshDatabase()

const GIB = 2 ** 30
const DIFFUSION = 'cifar10.ddpm-unet.class-0'
let [ada, bob, runner] = ['', '', '']
beforeEach(async () => {
  ada = await tokenFor('submitter', 'ada')
  bob = await tokenFor('submitter', 'bob')
  runner = await tokenFor('runner')
})
const wait = useClock('2026-11-01T12:00:00Z')
const queue = async (): Promise<Queue> => read(await ask('/api/v1/queue'))
const retrain = (seeds: number[], params = {}) => ({ method: 'retrain', seeds, params })
const seedOf = (job: Job | null) => job?.spec.seed
const gpu = {
  device: { ...probe.device, provider: 'cuda' },
  gpus: [{ name: 'NVIDIA H100 80GB HBM3', memoryBytes: 80 * GIB, driver: '550.54.15' }],
}

test('no job goes to a runner that cannot do it', async () => {
  await submit(ada, { benchmark: DIFFUSION, method: 'retrain', seeds: [0] })
  expect(await lease(runner, 'small')).toBeNull()
  const old = { ...gpu, gpus: [{ ...gpu.gpus[0]!, memoryBytes: 8 * GIB }] }
  expect(await lease(runner, 'old', old)).toBeNull()
  expect(await lease(runner, 'large', gpu)).toMatchObject({ spec: { kind: 'train' } })
})

test('the lease statement asks for what requirements say: all 360 pairs of requirements and runners agree', async () => {
  await submit(ada, retrain([0]))
  const db = databaseOf(bindings.DB)
  const requirements: Requirements[] = [undefined, 'cpu', 'cuda'].flatMap((provider) =>
    [undefined, 0, 16].flatMap((memory) =>
      [undefined, 8].flatMap((gpuMemory) =>
        [undefined, [], ['lab'], ['lab', 'big']].map((labels) => ({
          ...(provider && { provider }),
          ...(memory !== undefined && { memoryBytes: memory * GIB }),
          ...(gpuMemory && { gpuMemoryBytes: gpuMemory * GIB }),
          ...(labels && { labels }),
        })),
      ),
    ),
  )
  const runners = [
    { provider: 'cpu', memoryBytes: 8 * GIB, gpuMemoryBytes: 0, labels: [] },
    { provider: 'cpu', memoryBytes: 16 * GIB, gpuMemoryBytes: 0, labels: ['big', 'lab'] },
    { provider: 'cpu', memoryBytes: 16 * GIB, gpuMemoryBytes: 8 * GIB, labels: ['la'] },
    { provider: 'cuda', memoryBytes: 64 * GIB, gpuMemoryBytes: 24 * GIB, labels: ['lab'] },
    { provider: 'cuda', memoryBytes: 15 * GIB, gpuMemoryBytes: 7 * GIB, labels: ['lab', 'big'] },
  ].map((able): Able => ({ ...able, engines: engines() }))
  for (const requires of requirements) {
    await bindings.DB.prepare('UPDATE jobs SET requires = ?').bind(JSON.stringify(requires)).run()
    const given = await Promise.all(
      runners.map(async (able) => (await db.get<{ key: string | null }>(nextQuery(able))).key !== null),
    )
    expect({ requires, given }).toEqual({ requires, given: runners.map((able) => meets(able, requires)) })
  }
})
const nextQuery = (able: Able) => sql`SELECT ${nextJob(able, { runnerId: 'rnr_0', now: Date.now() })} AS key`

test('of equal priority, the author with fewer stages running is served first', async () => {
  await submit(ada, retrain([0, 1, 2]))
  await submit(bob, retrain([10, 11]))
  const seeds = []
  for (let i = 0; i < 5; i++) seeds.push(seedOf(await lease(runner)))
  // ada has none running, then bob has none, then both have one and ada's asked first.
  expect(seeds).toEqual([0, 10, 1, 11, 2])
})

test('a stage that several want counts for who asked first', async () => {
  await submit(ada, retrain([0]))
  await submit(bob, retrain([0]))
  await submit(bob, retrain([1]))
  await submit(ada, retrain([2]))
  expect([seedOf(await lease(runner)), seedOf(await lease(runner))]).toEqual([0, 1])
})

test('an admin gives a submission priority, and nobody else may', async () => {
  await submit(ada, retrain([0]))
  const { id } = await submit(bob, retrain([1]))
  const path = `/api/v1/submissions/${id}`
  const refused = await ask(path, { token: bob, method: 'PATCH', json: { priority: 1 } })
  expect(await errorOf(refused)).toMatchObject({ status: 403, code: 'forbidden' })
  await read(await ask(path, { token: ADMIN, method: 'PATCH', json: { priority: 1 } }))
  expect((await queue()).waiting.map(({ seed, priority }) => [seed, priority])).toEqual([
    [1, 1],
    [0, 0],
  ])
  expect(seedOf(await lease(runner))).toBe(1)
})

test('an admin may ask for another runner than the benchmark does', async () => {
  const { id } = await submit(ada, { benchmark: DIFFUSION, method: 'retrain', seeds: [0] })
  const path = `/api/v1/submissions/${id}`
  await read(await ask(path, { token: ADMIN, method: 'PATCH', json: { requires: { memoryBytes: GIB } } }))
  const changed = (await queue()).waiting.find(({ submission }) => submission === id)
  expect(changed?.requires).toEqual({ memoryBytes: GIB })
  expect(await lease(runner, 'small')).not.toBeNull()
})

test('a waiting run says at once that no runner matches, and what is missing', async () => {
  await lease(runner, 'small')
  await submit(ada, { benchmark: DIFFUSION, method: 'retrain', seeds: [0] })
  const { waiting } = await queue()
  // The original is brought along.
  expect(waiting.map(({ method }) => method)).toEqual(['original', 'retrain'])
  expect(waiting).toMatchObject(
    waiting.map((_, index) => ({
      position: index + 1,
      reason: 'no_matching_runner',
      words: '0 of 1 runner match: none runs stages on cuda and has a GPU with 16 GiB',
      matchingRunners: 0,
      estimate: null,
    })),
  )
})

test('each waiting run has its reason, place and number of matching runners', async () => {
  await submit(ada, retrain([0, 1]))
  await submit(bob, retrain([0, 5]))
  expect((await queue()).waiting.map(({ reason }) => reason)).toEqual(Array(4).fill('no_runner'))
  const job = (await lease(runner, 'one'))!
  const { running, waiting, counts } = await queue()
  expect(running).toMatchObject([{ runner: 'one', kind: 'train', seed: 0, author: 'ada', remaining: null }])
  expect(
    waiting.map(({ author, seed, position, reason, matchingRunners }) => [
      author,
      seed,
      position,
      reason,
      matchingRunners,
    ]),
  ).toEqual([
    // bob has nothing running that is counted as his.
    ['bob', 0, 1, 'earlier_stage', 1],
    ['bob', 5, 2, 'busy', 1],
    ['ada', 1, 3, 'share', 1],
  ])
  expect(counts).toEqual({ running: 1, waiting: 3 })
  await read(await finish(job))
  wait(200)
  expect((await queue()).waiting.at(-1)?.reason).toBe('runners_silent')
})

test('estimates follow from what stages like it took', async () => {
  await submit(ada, retrain([0]))
  for (const seconds of [80, 20]) {
    const job = (await lease(runner))!
    wait(seconds)
    await read(await finish(job))
  }
  await submit(ada, { ...retrain([1, 2]), label: 'again' })
  await lease(runner)
  wait(40)
  const { running, waiting } = await queue()
  expect(running[0]?.remaining).toEqual({ median: 40, p90: 40 })
  // The runner is free after 40 s; evaluating seed 1 then takes 20 s, and seed 2 takes 80 + 20 s.
  expect(waiting).toMatchObject([
    { seed: 2, estimate: { begins: { median: 60, p90: 60 }, ends: { median: 160, p90: 160 }, basedOn: 1 } },
  ])
})

test('a queue of many authors is served in the order that it shows', async () => {
  for (const [token, seeds] of [
    [ada, [0, 1, 2]],
    [bob, [10, 11]],
    [await tokenFor('submitter', 'eve'), [20]],
  ] as const) {
    await submit(token, retrain([...seeds]))
  }
  const shown = (await queue()).waiting.map(({ seed }) => seed)
  const served = []
  for (let job = await lease(runner); job; job = await lease(runner)) served.push(seedOf(job))
  expect(served).toEqual(shown)
})
