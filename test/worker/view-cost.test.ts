/** What views read, in workerd with a real D1: neither pages nor API read more, however many runs have finished. */
import { expect, test } from 'vitest'
import type { Board, BoardRow } from '../../schema/api/board.ts'
import { benchmarks, suites } from '../../schema/catalogue/catalogue.ts'
import { definitionOf, planRun } from '../../schema/plan.ts'
import { app } from '../../worker/app.ts'
import { ask, bindings, read, SLUG, useFreshDatabase } from './support.ts'

useFreshDatabase()

const suite = [...suites.values()].find(({ benchmarks: [first] }) => first!.metrics.includes('ua/accuracy@1'))
const SUITE = suite!.slug
const CLASS = suite!.benchmarks[0]!.slug
const FEW = 300
const MANY = 3000
/** Rows that D1 read for one request. */
async function cost(path: string): Promise<number> {
  let rows = 0
  const DB = counting(bindings.DB, (read) => (rows += read))
  const answer = await app.request(path, {}, { ...bindings, DB })
  expect(`${answer.status} ${path}`).toBe(`200 ${path}`)
  await answer.text()
  return rows
}

/** The same database, with what it read told. D1 says so of statements but not of `raw`, which is asked twice. */
function counting(db: D1Database, tell: (rowsRead: number) => void): D1Database {
  const told = <T extends D1Result>(result: T): T => {
    tell(result.meta.rows_read)
    return result
  }
  const own = new WeakMap<object, D1PreparedStatement>()
  const statement = (inner: D1PreparedStatement): D1PreparedStatement => {
    const outer = {
      bind: (...values: unknown[]) => statement(inner.bind(...values)),
      all: async () => told(await inner.all()),
      run: async () => told(await inner.run()),
      first: async (...args: [string]) => {
        told(await inner.all())
        return inner.first(...args)
      },
      raw: async (...args: []) => {
        told(await inner.all())
        return inner.raw(...args)
      },
    } as unknown as D1PreparedStatement
    own.set(outer, inner)
    return outer
  }
  return {
    prepare: (sql: string) => statement(db.prepare(sql)),
    batch: async (statements: D1PreparedStatement[]) =>
      (await db.batch(statements.map((each) => own.get(each) ?? each))).map(told),
  } as unknown as D1Database
}

/** Finished runs on a benchmark, numbered `from` up to `to`: of the seeds 0 to 29, each setting of them with one submission;
 *  those of the first setting are retrain's. Originals are shared. */
async function finishedRuns(slug: string, from: number, to: number): Promise<void> {
  const benchmark = benchmarks.get(slug)!
  const definition = await definitionOf(benchmark)
  const planned = await planRun(benchmark, { id: 'ft', version: 1 }, {}, 0)
  const spec = (kind: string) => `'${JSON.stringify(planned.find(({ spec }) => spec.kind === kind)!.spec)}'`
  const SEEDS = 30
  const n = `WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${to}),
    r AS (SELECT i, i / ${SEEDS} AS setting, i % ${SEEDS} AS seed FROM n)`
  const id = (letter: string) => `'${letter}' || printf('%08d', i) || '${slug}'`
  const submission = `'s' || printf('%08d', setting) || '${slug}'`
  const key = (stage: number, of = 'i') => `printf('%056x%08x', ${of} * 8 + ${stage}, ${slug.length})`
  const device = `'{"deviceClass":"cpu/made-up","provider":"cpu","precision":"float32","threads":2}'`
  const seconds = `'{"setUp":1,"train":9,"unlearn":3,"evaluate":2}'`
  const job = (stage: number, kind: string, which: string, of = 'i') =>
    `INSERT INTO jobs (key, kind, spec, state, likeness, deliveries, created_at, started_at, finished_at, seconds, device)
     ${n} SELECT ${key(stage, of)}, '${kind}', ${spec(kind)}, 'done', 'l', 1, 1, 1, 1000 + i, ${seconds}, ${device}
     FROM r WHERE ${which}`
  const needs = (stage: number, position: number, which: string, of = 'i') =>
    `INSERT INTO run_jobs (run_id, job_key, position) ${n} SELECT ${id('r')}, ${key(stage, of)}, ${position} FROM r WHERE ${which}`
  const isRetrain = 'setting = 0'
  await bindings.DB.batch(
    [
      `INSERT INTO submissions (id, benchmark, method, method_version, params, label, author, token_id, visibility, created_at)
       ${n} SELECT ${submission}, '${slug}', CASE setting WHEN 0 THEN 'retrain' ELSE 'ft' END, 1,
         json_object('epochs', setting), '', 'author', 't', 'public', i FROM r WHERE seed = 0`,
      job(3, 'train', 'setting = 1', 'seed'),
      job(0, 'train', isRetrain),
      job(1, 'unlearn', `NOT (${isRetrain})`),
      job(2, 'evaluate', 'true'),
      `INSERT INTO runs (id, submission_id, benchmark, definition_sha256, seed, ordinal, part)
       ${n} SELECT ${id('r')}, ${submission}, '${slug}', '${definition}', seed, seed, 0 FROM r`,
      needs(0, 0, isRetrain),
      needs(3, 0, `NOT (${isRetrain})`, 'seed'),
      needs(1, 1, `NOT (${isRetrain})`),
      needs(2, 2, 'true'),
      ...['ua/accuracy@1', 'ra/accuracy@1', 'ta/accuracy@1', 'mia/svc-confidence@1'].map(
        (identity) => `INSERT INTO scores (job_key, metric, identity, value, "by", version, computed_at)
          ${n} SELECT ${key(2)}, '${identity.split('/')[0]}', '${identity}', 50 + (i * 7919 % 1000) / 100.0, 'r', '', 1000 + i FROM r`,
      ),
    ].map((statement) => bindings.DB.prepare(statement)),
  )
}

const OWN = `s00000001${SLUG}`
const RUN = `r00000031${SLUG}`
/** The most rows that each may read: pages and their API (a few for each board of the catalogue), then lists, which look at 200 rows and read each run that they show in
 *  full. */
const BOUNDS: Record<string, number> = {
  '/': 400,
  '/methods/ft': 400,
  '/api/v1/methods/ft': 0,
  [`/boards/${SLUG}`]: 30,
  [`/api/v1/benchmarks/${SLUG}/board`]: 30,
  [`/api/v1/benchmarks/${SLUG}/board.csv`]: 30,
  [`/suites/${SUITE}`]: 100,
  [`/api/v1/suites/${SUITE}/board`]: 100,
  [`/api/v1/suites/${SUITE}/board.csv`]: 100,
  '/queue': 30,
  '/api/v1/queue': 30,
  // Of 30 runs.
  [`/submissions/${OWN}`]: 500,
  [`/api/v1/submissions/${OWN}`]: 500,
  [`/runs/${RUN}`]: 100,
  [`/api/v1/runs/${RUN}`]: 100,
  '/api/v1/runs?limit=20': 1000,
  [`/api/v1/runs?limit=20&benchmark=${SLUG}`]: 1000,
  '/api/v1/runs?method=retrain': 1000,
  '/api/v1/runs?state=queued': 3000,
  '/api/v1/submissions?limit=5': 3000,
  [`/api/v1/submissions?limit=5&benchmark=${SLUG}`]: 3000,
  '/api/v1/submissions?limit=5&method=retrain': 3000,
}

/** Rows that a second view reads: the first one after a change takes the change in. */
async function costs(): Promise<Record<string, number>> {
  const rows: Record<string, number> = {}
  for (const path of Object.keys(BOUNDS)) {
    await cost(path)
    rows[path] = await cost(path)
  }
  return rows
}

test(`no view reads more beside ${MANY} finished runs than beside ${FEW}`, { timeout: 300_000 }, async () => {
  for (const slug of [SLUG, CLASS]) await finishedRuns(slug, 0, FEW / 2)
  const few = await costs()
  for (const slug of [SLUG, CLASS]) await finishedRuns(slug, FEW / 2, MANY / 2)
  const many = await costs()
  for (const [path, bound] of Object.entries(BOUNDS)) {
    console.log(`${few[path]} rows beside ${FEW} runs, ${many[path]} beside ${MANY}, at most ${bound}: ${path}`)
    expect(many[path], path).toBeLessThanOrEqual(bound)
    // A board may be kept in more pieces; a list looks at 200 rows, which were not there yet.
    expect(many[path], path).toBeLessThanOrEqual(few[path]! + (path.includes('?') ? 200 : 10))
  }
})

test('the view after a result reads the runs of its submission, not those of the board', {
  timeout: 300_000,
}, async () => {
  await finishedRuns(SLUG, 0, MANY / 2)
  await cost(`/boards/${SLUG}`)
  const { rows: before } = await boardNow()
  // A metric computed anew.
  await bindings.DB.prepare(
    `INSERT INTO scores (job_key, metric, identity, value, "by", version, computed_at)
     SELECT job_key, 'ua', 'ua/accuracy@1', 0, 'server', '', 1e6 FROM run_jobs WHERE run_id = ? ORDER BY position DESC LIMIT 1`,
  )
    .bind(RUN)
    .run()
  // 30 runs of about 14 rows each, read for states, for stages and for scores; the board has 1500.
  expect(await cost(`/boards/${SLUG}`)).toBeLessThan(1500)
  const { rows: after } = await boardNow()
  const ofOwn = ({ submission }: BoardRow) => submission === OWN
  expect(after.find(ofOwn)!.metrics.ua!.mean).toBeLessThan(before.find(ofOwn)!.metrics.ua!.mean)
  expect(after.filter((row) => !ofOwn(row)).map(({ metrics }) => metrics)).toEqual(
    before.filter((row) => !ofOwn(row)).map(({ metrics }) => metrics),
  )
})

const boardNow = async () => read<Board>(await ask(`/api/v1/benchmarks/${SLUG}/board`))
