import { applyD1Migrations, reset } from 'cloudflare:test'
import { afterEach, expect, test } from 'vitest'
import { scienceTasks } from '../../runner/science/catalogue/catalogue.ts'
import type { MetricDefinition } from '../../runner/science/metric.ts'
import { TooLongError } from '../../runner/science/plain-tools.ts'
import type { Board } from '../../schema/api/board.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { release } from '../../schema/parts/release.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import type { StageResult } from '../../schema/result.ts'
import {
  addBenchmark,
  ask,
  bindings,
  errorOf,
  finish,
  lease,
  metricsOf,
  read,
  resultOf,
  runner,
  runOf,
  SLUG,
  submit,
  submitter,
  useSubmitterAndRunner,
  workOff,
} from './support.ts'

/** Of the same definition, with columns of its own. */
const classification = scienceTasks.get('classification')!
const ua = classification.metrics.ua!
const OTHER = `${SLUG}-other`
const base = benchmarks.get(SLUG)!
addBenchmark({ ...base, slug: OTHER, metrics: ['ta/accuracy@1', 'mia/entropy@1', 'ua/accuracy@1'] })

useSubmitterAndRunner()

/** Works off all but evaluations, and gives the next of those. */
async function evaluation(): Promise<Job> {
  for (let job = await lease(runner); job; job = await lease(runner)) {
    if (job.spec.kind === 'evaluate') return job
    expect(job.metrics).toEqual([])
    await read(await finish(job, { seconds: { setUp: 1, train: 9 } }))
  }
  throw new Error('nothing to evaluate')
}

const boardOf = async (slug: string): Promise<Board> => read(await ask(`/api/v1/benchmarks/${slug}/board`))
const scoresOf = async (key: string) =>
  (
    await bindings.DB.prepare('SELECT * FROM scores WHERE job_key = ? ORDER BY computed_at, metric')
      .bind(key)
      .all<{ metric: string; identity: string; value: number; by: string; version: string; computed_at: number }>()
  ).results

test('an evaluation is told the metrics of all benchmarks whose runs want it, and other jobs none', async () => {
  await submit(submitter, { benchmark: OTHER, method: 'retrain', seeds: [0] })
  await submit(submitter, { method: 'retrain', seeds: [0] })
  // The slug of the other one comes second.
  expect((await evaluation()).metrics).toEqual([
    'ua/accuracy@1',
    'ra/accuracy@1',
    'ta/accuracy@1',
    'mia/svc-confidence@1',
    'mia/entropy@1',
  ])
})

test('metrics that only cancelled runs wanted are not asked for', async () => {
  const { id } = await submit(submitter, { method: 'retrain', seeds: [0] })
  await submit(submitter, { benchmark: OTHER, method: 'retrain', seeds: [0] })
  await read(await ask(`/api/v1/submissions/${id}/cancel`, { token: submitter, method: 'POST' }))
  expect((await evaluation()).metrics).toEqual(['ta/accuracy@1', 'mia/entropy@1', 'ua/accuracy@1'])
})

afterEach(() => {
  scienceTasks.set('classification', classification)
})

test('every score of a result is kept to the last digit, with who computed it and by what', async () => {
  await submit(submitter, { method: 'retrain', seeds: [0] })
  const job = await evaluation()
  // More than a statement takes; numbers whose shortest decimals have 16 and 17 digits. Every other one is too much for the server.
  const values = Array.from({ length: 70 }, (_, i) => (i + 1) / 3 + 0.1 + 0.2)
  const many = values.map((value, i): [string, MetricDefinition] => {
    const compute = () => {
      if (i % 2 === 0) return value
      throw new TooLongError('not here')
    }
    return [`m-${i}`, { ...ua, version: 1, named: `m-${i}/x@1`, compute }]
  })
  scienceTasks.set('classification', { ...classification, metrics: Object.fromEntries(many) })
  const metrics = Object.fromEntries(values.map((value, i) => [`m-${i}`, { identity: `m-${i}/x@1`, value }]))
  await read(await finish(job, { metrics }))
  const rows = await scoresOf(job.key)
  expect(rows).toHaveLength(70)
  for (const { metric, value, by, version } of rows) {
    const who = Number(metric.slice(2)) % 2 === 0 ? `server ${release}` : `${job.runner} 0.1.0`
    expect([metric, value, `${by} ${version}`]).toEqual([metric, metrics[metric]!.value, who])
  }
})

test('a run says of each value whether the server computed it or only the runner says so', async () => {
  const { runs } = await submit(submitter, { method: 'retrain', seeds: [0] })
  const compute = () => {
    throw new TooLongError('not here')
  }
  const { metrics } = classification
  scienceTasks.set('classification', { ...classification, metrics: { ...metrics, mia: { ...metrics.mia!, compute } } })
  await workOff(runner)
  const run = await runOf(runs[0]!.id)
  expect(run.metrics.ua).toMatchObject({
    confirmed: true,
    computed: { by: 'server', version: release },
    rescored: null,
  })
  expect(run.metrics.mia).toMatchObject({
    confirmed: false,
    computed: { by: 'runner', version: '0.1.0' },
    rescored: null,
  })
  const text = (await (await ask(`/runs/${run.id}`)).text()).replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')
  expect(text).toContain('ua/accuracy@1 Computed from the stored evidence by the server.')
  expect(text).toContain(
    'mia/svc-confidence@1 Computed from the stored evidence by runner, which measured it; nobody else',
  )
  expect(text.match(/as the runner says/g)).toHaveLength(1)
})

test('a result that was refused leaves no score', async () => {
  await submit(submitter, { method: 'retrain', seeds: [0] })
  const job = await evaluation()
  await bindings.DB.prepare('UPDATE jobs SET lease_expires_at = 1 WHERE key = ?').bind(job.key).run()
  const metrics = metricsOf({ ua: 1, ra: 2, ta: 3, mia: 4 })
  expect((await finish(job, { metrics })).status).toBe(409)
  expect(await scoresOf(job.key)).toEqual([])
})

const withUa = (value: number) => ({ metrics: { ua: { identity: 'ua/accuracy@1', value } } })

test.each<[string, Partial<StageResult>, string]>([
  ['a share above 100', withUa(1e300), 'metrics.ua: expected from 0 to 100 (%), got 1e+300'],
  ['a share below 0', withUa(-0.5), 'metrics.ua: expected from 0 to 100 (%), got -0.5'],
  [
    'a share under the id of another metric',
    { metrics: { fid: { identity: 'ua/judge@1;judge=a;accuracy=91.20;n=50', value: 101 } } },
    'metrics.fid: expected from 0 to 100 (%), got 101',
  ],
  [
    'a distance beyond all distances',
    { metrics: { fid: { identity: 'fid/inception-v3-pool3@1;n=9', value: 1e13 } } },
    'metrics.fid: expected from -1000000000000 to 1000000000000, got 10000000000000',
  ],
  [
    'a value of a metric that is not known here',
    { metrics: { new: { identity: 'new/x@1', value: -1e200 } } },
    'metrics.new: expected from -1000000000000 to 1000000000000, got -1e+200',
  ],
  [
    'a stage of more than three years',
    { seconds: { setUp: 1, evaluate: 1e308 } },
    'seconds.evaluate: expected from 0 to 100000000, got 1e+308',
  ],
  ['more memory than there is', { memory: { hostBytes: 2 ** 52 } }, 'memory.hostBytes: expected from 0 to'],
  ['a loss that no float32 holds', { losses: [1, 1e300] }, 'losses.1: expected from'],
])('%s is refused, and the job stays open for a right one', async (_, result, words) => {
  await submit(submitter, { method: 'retrain', seeds: [0] })
  const job = await evaluation()
  const refused = await errorOf(await finish(job, result))
  expect(refused).toMatchObject({ status: 400, code: 'invalid_request', message: expect.stringContaining(words) })
  expect(await scoresOf(job.key)).toEqual([])
  // The ends of the ranges belong to them.
  const metrics = metricsOf({ ua: 0, ra: 100, ta: 100, mia: 0 })
  await read(await finish(job, { metrics, seconds: { setUp: 0, evaluate: 1e8 } }))
  expect(await scoresOf(job.key)).toHaveLength(4)
})

test('values out of range that were stored before are still shown', async () => {
  await submit(submitter, { method: 'ft', seeds: [0] })
  await workOff(runner)
  await bindings.DB.prepare(`UPDATE scores SET value = 250 WHERE metric = 'ua'`).run()
  expect((await boardOf(SLUG)).rows[0]?.metrics.ua).toMatchObject({ mean: 250 })
})

test('a value computed anew counts in the place of the older one, which stays beside it', async () => {
  const { runs } = await submit(submitter, { method: 'ft', seeds: [0] })
  await workOff(runner, (method) => ({ ua: method === 'retrain' ? 10 : 7, ra: 100, ta: 90, mia: 20 }))
  const run = await runOf(runs[0]!.id)
  const { key } = run.stages.at(-1)!
  expect(run.metrics.ua).toMatchObject({ value: 7, gap: -3 })
  const insert = (value: number, at: number) =>
    bindings.DB.prepare(`INSERT INTO scores VALUES (?, 'ua', 'ua/accuracy@1', ?, 'server', '0.2.0', ?)`)
      .bind(key, value, at)
      .run()
  await insert(8, Date.now() + 1000)
  // Older than both, though it comes last.
  await insert(1, 1)
  expect((await runOf(run.id)).metrics.ua).toMatchObject({ value: 8, gap: -2 })
  const { rows } = await boardOf(SLUG)
  expect(rows[0]?.metrics.ua).toMatchObject({ mean: 8, n: 1, gap: -2 })
  // |8 - 10| over four metrics.
  expect(rows[0]?.avgGap?.mean).toBe(0.5)
  const ua = (await scoresOf(key)).filter(({ identity }) => identity === 'ua/accuracy@1')
  expect(ua.map(({ value }) => value)).toEqual([1, 7, 8])
})

test('a metric that was not asked for when the evaluation ran is shown as not measured', async () => {
  await submit(submitter, { method: 'ft', seeds: [0] })
  await workOff(runner)
  const { runs } = await submit(submitter, { benchmark: OTHER, method: 'ft', seeds: [0] })
  // Every stage exists already.
  expect(await lease(runner)).toBeNull()
  const { state, metrics } = await runOf(runs[0]!.id)
  expect(state).toBe('done')
  expect(Object.keys(metrics)).toEqual(['ta', 'ua'])
  const { columns, references, rows } = await boardOf(OTHER)
  expect(references.map(({ method }) => method)).toEqual(['retrain'])
  // No metric here carries this identity, so it stands for itself.
  expect(columns.map(({ id }) => id)).toEqual(['ta', 'mia/entropy@1', 'ua'])
  expect(Object.keys(rows[0]!.metrics)).toEqual(['ta', 'ua'])
  expect(rows[0]).toMatchObject({ avgGap: null, rank: null, metrics: { ta: { gap: 0 } } })
  expect(await (await ask(`/boards/${OTHER}`)).text()).toContain('not measured')
})

test('the migration keeps what was measured before, and cancels what no runner could read', async () => {
  await reset()
  const migrations = bindings.MIGRATIONS
  await applyD1Migrations(bindings.DB, migrations.slice(0, 1))
  const insert = (table: string, row: Record<string, unknown>) => {
    const values = Object.values(row).map((value) =>
      typeof value === 'object' && value !== null ? JSON.stringify(value) : value,
    )
    const columns = Object.keys(row)
    return bindings.DB.prepare(
      `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    ).bind(...values)
  }
  const job = (key: string, kind: string, state: string, more: Record<string, unknown> = {}) => {
    const spec = { kind, model: { id: 'ddpm-unet' }, without: null, method: { id: 'ft' } }
    return insert('jobs', { key, kind, state, spec, likeness: '', runner_id: 'rnr_1', created_at: 1, ...more })
  }
  const done = (key: string, kind: string, more: Record<string, unknown> = {}) => {
    const result = { ...resultOf(more), versions: { palimpsest: '0.1.0' } }
    const { seconds, device, metrics } = result
    return job(key, kind, 'done', { result, seconds, device, metrics, finished_at: 2 })
  }
  const run = (id: string, ...keys: string[]) => [
    insert('runs', {
      ...{ id, submission_id: 's', definition_sha256: 'd', seed: 0, ordinal: 0, part: 0 },
      benchmark: OLD,
    }),
    ...keys.map((job_key, position) => insert('run_jobs', { run_id: id, job_key, position })),
  ]
  const OLD = 'fashion-mnist-5k-16.ddpm-unet.class-0'
  const submission = { id: 's', benchmark: OLD, method: 'ft', method_version: 1, params: {}, label: '', author: 'ada' }
  await bindings.DB.batch([
    insert('submissions', { ...submission, token_id: 't', visibility: 'public', created_at: 1 }),
    done('train', 'train'),
    done('unlearn', 'unlearn'),
    done('sample', 'sample'),
    done('judge', 'judge'),
    done('evaluated', 'evaluate-samples', {
      metrics: {
        'generated-ua': { identity: 'ua/judge@1;n=50', value: 98.125 },
        kid: { identity: 'kid/inception-v3-pool3@1', value: 4 },
      },
    }),
    job('judging', 'judge', 'leased'),
    job('waits', 'train', 'queued'),
    job('new', 'train', 'queued', { spec: { task: 'classification' } }),
    ...run('ended', 'train', 'unlearn', 'sample', 'judge', 'evaluated'),
    ...run('running', 'judging'),
    ...run('waiting', 'waits'),
    ...run('readable', 'new'),
  ])
  await applyD1Migrations(bindings.DB, migrations)
  const common = { identity: expect.any(String), by: 'rnr_1', version: '0.1.0', computed_at: 2, job_key: 'evaluated' }
  expect(await scoresOf('evaluated')).toEqual([
    { ...common, metric: 'generated-ua', identity: 'ua/judge@1;n=50', value: 98.125 },
    { ...common, metric: 'kid', value: 4 },
  ])
  const all = async (statement: string) => (await bindings.DB.prepare(statement).raw()).map((row) => row.join(' '))
  expect(await all('SELECT key, kind, state FROM jobs ORDER BY rowid')).toEqual([
    'train train done',
    'unlearn unlearn done',
    'sample sample done',
    'judge train done',
    'evaluated evaluate done',
    'judging train leased',
    'waits train cancelled',
    'new train queued',
  ])
  expect(await all('SELECT id FROM runs WHERE cancelled_at IS NOT NULL ORDER BY id')).toEqual(['running', 'waiting'])
  // Pages of older runs stay, with their stages as they were named.
  expect((await runOf('ended')).metrics['generated-ua']?.value).toBe(98.125)
  const page = await (await ask('/runs/ended')).text()
  expect(page).toContain('98.13')
  expect(page).toContain('Unlearn with FT')
})
