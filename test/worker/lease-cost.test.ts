/** What a lease costs beside many finished runs, in workerd with a real D1. `npm run bench:lease` does it with 100,000. */
import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { engines } from '../../schema/engine.ts'
import { ableOf } from '../../schema/requirements.ts'
import { databaseOf } from '../../worker/bindings/database.ts'
import { nextJob } from '../../worker/queries/jobs/next-job.ts'
import { openStages } from '../../worker/queries/queue/open-stages.ts'
import { probe } from '../support/probe.ts'
import { bindings, fail, lease, read, submit, tokenFor, useFreshDatabase } from './support.ts'

useFreshDatabase()

const { LEASE_FINISHED_RUNS } = bindings as { LEASE_FINISHED_RUNS?: string }
const FEW = 100
const MANY = Number(LEASE_FINISHED_RUNS ?? 2000)
/** Timings of a small run on a busy machine say little; rows that are read are exact. */
const TIMED = MANY >= 100_000
const ROUNDS = TIMED ? 15 : 3
const LEASES = TIMED ? 20 : 5

test(`a lease reads as many rows with ${MANY} finished runs as with ${FEW}, and takes no longer`, {
  timeout: 600_000,
}, async () => {
  const [submitter, runner] = [await tokenFor('submitter'), await tokenFor('runner')]
  for (const epochs of [5, 6, 7])
    await submit(submitter, { seeds: Array.from({ length: 20 }, (_, i) => i), params: { epochs } })
  const measure = async () => {
    const [choices, leases, queues]: number[][] = [[], [], []]
    for (let round = 0; round < ROUNDS; round++) {
      choices!.push(await timed(LEASES, choose))
      leases!.push(await timed(LEASES, () => lease(runner).then((job) => given.push(job!))))
      for (const job of given.splice(0)) await read(await fail(job, released))
      queues!.push(await timed(1, () => openStages(databaseOf(bindings.DB))))
    }
    return { choice: median(choices!), lease: median(leases!), queue: median(queues!), rows: await rowsRead() }
  }
  const given: NonNullable<Awaited<ReturnType<typeof lease>>>[] = []
  await finishedRuns(0, FEW)
  await measure()
  const few = await measure()
  await finishedRuns(FEW, MANY)
  const many = await measure()
  const lines = [
    [FEW, few],
    [MANY, many],
  ] as const
  for (const [runs, { choice, lease, queue, rows }] of lines) {
    console.log(
      `${runs} finished runs: ${lease.toFixed(2)} ms a lease, of which ${choice.toFixed(2)} ms to choose the job by reading ${rows} rows; ${queue.toFixed(2)} ms to read the queue`,
    )
  }
  expect(many.rows).toBe(few.rows)
  if (!TIMED) return
  expect(many.choice / few.choice).toBeLessThan(1.5)
  expect(many.lease / few.lease).toBeLessThan(1.5)
})

const released = { outcome: 'released', reason: 'interrupted', message: 'put back' }
const chosen = () =>
  sql`SELECT ${nextJob(ableOf(probe, { labels: [], engines: engines() }), { runnerId: 'rnr_0', now: Date.now() })} AS key`
const choose = () => databaseOf(bindings.DB).get(chosen())

async function rowsRead(): Promise<number> {
  const { meta } = await databaseOf(bindings.DB).run(chosen())
  return meta.rows_read
}

async function timed(times: number, act: () => Promise<unknown>): Promise<number> {
  const begin = performance.now()
  for (let i = 0; i < times; i++) await act()
  return (performance.now() - begin) / times
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!

/** Runs `from` up to `to` with three stages each, a submission a run, all of it done. */
async function finishedRuns(from: number, to: number): Promise<void> {
  const numbers = `WITH RECURSIVE n(i) AS (SELECT ${from + 1} UNION ALL SELECT i + 1 FROM n WHERE i < ${to})`
  const key = (stage: number) => `printf('%064x', i * 3 + ${stage})`
  const spec = JSON.stringify({ kind: 'train', filler: 'x'.repeat(700) })
  const stages = [0, 1, 2]
  await bindings.DB.batch(
    [
      `INSERT INTO submissions (id, benchmark, method, method_version, params, label, author, token_id, visibility, created_at)
        ${numbers} SELECT 's' || i, 'b', 'ft', 1, '{}', '', 'author ' || (i % 50), 't', 'public', i FROM n`,
      `INSERT INTO runs (id, submission_id, benchmark, definition_sha256, seed, ordinal, part)
        ${numbers} SELECT 'r' || i, 's' || i, 'b', 'd', i % 3, i % 3, 0 FROM n`,
      ...stages.map(
        (stage) => `INSERT INTO jobs (key, kind, spec, state, likeness, deliveries, created_at, started_at, finished_at)
          ${numbers} SELECT ${key(stage)}, 'train', '${spec}', 'done', 'l' || (i % 40), 1, i, i, i + 60000 FROM n`,
      ),
      ...stages.map(
        (stage) =>
          `INSERT INTO run_jobs (run_id, job_key, position) ${numbers} SELECT 'r' || i, ${key(stage)}, ${stage} FROM n`,
      ),
      ...stages
        .slice(1)
        .map(
          (stage) =>
            `INSERT INTO job_inputs (job_key, input_key) ${numbers} SELECT ${key(stage)}, ${key(stage - 1)} FROM n`,
        ),
      ...stages.map(
        (
          stage,
        ) => `INSERT INTO deliveries (job_key, attempt, token_sha256, runner_id, runner, leased_at, ended_at, outcome)
          ${numbers} SELECT ${key(stage)}, 1, ${key(stage)}, 'gone', 'gone', i, i + 60000, 'done' FROM n`,
      ),
    ].map((statement) => bindings.DB.prepare(statement)),
  )
}
