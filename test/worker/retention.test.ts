/** Which stored files go, when, and which never do. */
import { expect, test } from 'vitest'
import type { RetentionReport } from '../../schema/api/retention.ts'
import { sha256Hex } from '../../schema/parts/hash.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import {
  ADMIN,
  ask,
  bindings,
  errorOf,
  fail,
  finish,
  lease,
  leave,
  metricsOf,
  read,
  runner,
  runOf,
  SLUG,
  say,
  submit,
  submitter,
  upload,
  useClock,
  useSubmitterAndRunner,
  verb,
} from './support.ts'

useSubmitterAndRunner()

const wait = useClock('2027-01-01T12:00:00Z')
const waitDays = (days: number) => wait(days * 24 * 3600)
const retain = async (json: Record<string, unknown> = { dryRun: false }): Promise<RetentionReport> =>
  read(await ask('/api/v1/retention', { token: ADMIN, json }))
const cancel = async (id: string) =>
  read(await ask(`/api/v1/submissions/${id}/cancel`, { token: submitter, method: 'POST' }))
const exists = async (sha256: string) => (await ask(`/api/v1/artifacts/${sha256}`, { method: 'HEAD' })).status === 200
const objects = async () => (await bindings.STORE.list()).objects.map(({ key }) => key)
const kinds = ({ removed }: RetentionReport) => removed.map(({ kind }) => kind).sort()
const checkpoint = async (job: Job, content: string, position: number) =>
  read(await verb(job, 'checkpoint', { artifact: await upload(job, content), position }))

test('what was uploaded but never named goes after a day, and not before', async () => {
  await submit(submitter, { seeds: [0] })
  const job = (await lease(runner))!
  const { sha256 } = await upload(job, 'orphan')
  waitDays(0.9)
  expect(await retain()).toMatchObject({ removed: [] })
  waitDays(0.2)
  const plan = await retain({})
  expect(plan).toMatchObject({
    dryRun: true,
    removed: [{ kind: 'artifact', id: sha256, bytes: 6 }],
    totals: { artifact: { count: 1, bytes: 6 } },
    more: false,
  })
  expect(await exists(sha256)).toBe(true)
  expect(await retain()).toEqual({ ...plan, dryRun: false, at: expect.any(String) })
  expect(await exists(sha256)).toBe(false)
  expect(await objects()).toEqual([])
})

test('an artifact that a runner asked for again is left to the job that is about to name it', async () => {
  await submit(submitter, { seeds: [0] })
  const { 'weights.safetensors': weights } = await leave((await lease(runner))!)
  const { sha256, bytes } = weights!
  waitDays(2)
  const job = (await lease(runner))!
  const token = job.lease.token
  const told = await ask(`/api/v1/artifacts/${sha256}/upload`, { token, json: { bytes } })
  expect(await read(told)).toEqual({ kind: 'stored' })
  expect(await retain()).toMatchObject({ removed: [] })
  await read(await finish(job, { artifacts: { 'weights.safetensors': weights! } }))
  waitDays(400)
  expect(await retain()).toMatchObject({ removed: [] })
})

test('uploads that nobody goes on with are given up', async () => {
  await submit(submitter, { seeds: [0] })
  const job = (await lease(runner))!
  const sha256 = await sha256Hex('large')
  await read(await ask(`/api/v1/artifacts/${sha256}/upload`, { token: job.lease.token, json: { bytes: 60_000_000 } }))
  waitDays(1.1)
  expect((await retain()).removed).toEqual([{ kind: 'upload', id: sha256, bytes: 60_000_000 }])
  expect((await retain()).removed).toEqual([])
})

test('only the newest checkpoint of a job is kept, and none once it has ended', async () => {
  await submit(submitter, { seeds: [0], method: 'retrain' })
  const job = (await lease(runner))!
  await checkpoint(job, 'half', 1)
  expect(await exists(await sha256Hex('half'))).toBe(true)
  await checkpoint(job, 'almost', 1.75)
  expect(await exists(await sha256Hex('half'))).toBe(false)
  waitDays(0.0005)
  const artifacts = await leave(job)
  await read(await finish(job, { artifacts }))
  waitDays(2)
  const { removed } = await retain()
  expect(removed).toEqual([
    { kind: 'checkpoint', id: job.key, bytes: 0 },
    { kind: 'artifact', id: await sha256Hex('almost'), bytes: 6 },
  ])
  expect(await objects()).toEqual([expect.stringContaining(artifacts['weights.safetensors']!.sha256)])
})

test('a job that all its submitters cancelled loses its files after 30 days, and is computed again when it is wanted', async () => {
  const { id, runs } = await submit(submitter, { seeds: [0], method: 'retrain' })
  const job = (await lease(runner))!
  await read(await say(job, 'a line\n'))
  const artifacts = await leave(job)
  await read(await finish(job, { artifacts }, 'a line\n'))
  await cancel(id)
  waitDays(29)
  expect(await retain()).toMatchObject({ removed: [] })
  waitDays(2)
  expect(kinds(await retain())).toEqual(['artifact', 'job'])
  expect(await objects()).toEqual([])
  const page = await (await ask(`/runs/${runs[0]!.id}`)).text()
  expect(page).not.toContain(artifacts['weights.safetensors']!.sha256)
  expect((await runOf(runs[0]!.id)).stages[0]).toMatchObject({ state: 'cancelled', artifacts: {}, logLength: 0 })
  await submit(submitter, { seeds: [0], method: 'retrain' })
  expect((await lease(runner))?.key).toBe(job.key)
})

test('objects that a crash left without a row are found', async () => {
  await bindings.STORE.put(`artifacts/${'a'.repeat(64)}/0`, 'x')
  await bindings.STORE.put(`logs/${'b'.repeat(64)}/1/0-${'c'.repeat(64)}`, 'yy')
  waitDays(2)
  expect(kinds(await retain())).toEqual(['stray', 'stray'])
  expect(await objects()).toEqual([])
})

test('only an admin may ask', async () => {
  const answer = await ask('/api/v1/retention', { token: submitter, json: {} })
  expect(await errorOf(answer)).toMatchObject({ status: 403, code: 'forbidden' })
})

/** Uniform in [0, bound), from a seed (mulberry32). */
function dice(seed: number) {
  let state = seed
  return (bound: number) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % bound
  }
}

/** Every artifact and log that a page or an answer of the API names. */
async function linksOf(path: string): Promise<string[]> {
  const text = await (await ask(path)).text()
  const hashes = [...text.matchAll(/\/api\/v1\/artifacts\/([0-9a-f]{64})/g)].map(
    ([, sha256]) => `/api/v1/artifacts/${sha256}`,
  )
  const logs = [...text.matchAll(/href="(\/runs\/\w+\/log\/\d+)/g)].map(([, log]) => log!)
  return [...new Set([...hashes, ...logs])]
}

test.each([1, 2, 5])('whatever a board or a run page links to is still there, history %i', async (seed) => {
  const roll = dice(seed)
  const submitted: { id: string; runs: { id: string }[] }[] = []
  const methods = ['ft', 'ga', 'rl', 'retrain', 'original']
  let count = 0
  const acts = [
    async () => {
      submitted.push(await submit(submitter, { method: methods[roll(5)], seeds: [roll(3)] }))
    },
    async () => {
      const job = await lease(runner)
      if (!job) return
      count++
      const log = roll(2) ? `line ${count}\n` : ''
      if (log) await read(await say(job, log))
      if (roll(3) === 0) await checkpoint(job, `checkpoint ${count}`, count)
      if (roll(4) === 0) await upload(job, `orphan ${count}`)
      // Some artifacts are named by several jobs.
      const scores = { ua: roll(50), ra: 50 + roll(50), ta: 50 + roll(50), mia: roll(50) }
      const artifacts = { ...(await leave(job, scores)), more: await upload(job, `more ${roll(3) ? count : 'shared'}`) }
      const metrics = metricsOf(scores)
      const end = roll(6)
      if (end === 0) await read(await fail(job, { outcome: 'failed', reason: 'gpu_lost', message: 'lost' }, log))
      else if (end > 1)
        await read(await finish(job, { artifacts, ...(job.spec.kind === 'evaluate' && { metrics }) }, log))
    },
    async () => {
      if (submitted.length > 0) await cancel(submitted[roll(submitted.length)]!.id)
    },
    async () => waitDays(roll(12)),
  ]
  for (let act = 0; act < 40; act++) await acts[[0, 1, 1, 1, 1, 1, 2, 3][roll(8)]!]!()
  waitDays(roll(50))

  const pages = [`/boards/${SLUG}`, ...submitted.flatMap(({ runs }) => runs.map(({ id }) => `/runs/${id}`))]
  const cancelled = new Set<string>()
  for (const { runs } of submitted) {
    for (const { id } of runs) if ((await runOf(id)).state === 'cancelled') cancelled.add(`/runs/${id}`)
  }
  const before = new Map<string, string[]>()
  for (const page of pages) before.set(page, await linksOf(page))
  const plan = await retain({})
  expect((await retain()).removed).toEqual(plan.removed)
  for (const page of pages) {
    const after = await linksOf(page)
    // A run that was cancelled may lose links; whatever is linked works.
    if (!cancelled.has(page)) expect(after).toEqual(before.get(page))
    for (const link of after) expect(`${link} ${(await ask(link)).status}`).toBe(`${link} 200`)
  }
  expect((await retain()).removed).toEqual([])
  // Everything that is left to do can be done: no input of a job is gone.
  for (let job = await lease(runner); job; job = await lease(runner)) {
    for (const { sha256 } of Object.values(job.inputs).flatMap(Object.values)) expect(await exists(sha256)).toBe(true)
    await read(await finish(job))
  }
})
