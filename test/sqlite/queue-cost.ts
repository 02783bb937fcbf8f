/** What a view of the queue costs: `npm run bench:queue`. QUEUE_RUNNERS runners, QUEUE_RUNS waiting runs of two stages each, half of
 *  which one runner only can do, on a database in memory, so that what is timed is mostly the worker's own code. */
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { engines } from '../../schema/engine.ts'
import { databaseOf } from '../../worker/bindings/database.ts'
import { getQueue, queueCounts } from '../../worker/queries/queue/queue.ts'
import { probe } from '../support/probe.ts'
import { SqliteD1 } from './d1.ts'

const RUNNERS = Number(process.env.QUEUE_RUNNERS ?? 50)
const RUNS = Number(process.env.QUEUE_RUNS ?? 1283)
const VIEWS = 5

const d1 = new SqliteD1()
const folder = resolve(import.meta.dirname, '../../worker/migrations')
for (const name of readdirSync(folder)
  .filter((name) => name.endsWith('.sql'))
  .sort()) {
  d1.database.exec(readFileSync(resolve(folder, name), 'utf8').replaceAll('--> statement-breakpoint', ''))
}
const put = (table: string, row: Record<string, string | number | null>) => {
  const names = Object.keys(row)
  d1.database
    .prepare(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`)
    .run(...Object.values(row))
}
const now = Date.now()
const engine = engines()[0]!
const text = JSON.stringify
d1.database.exec('BEGIN')
for (let index = 0; index < RUNNERS; index++) {
  const about = {
    public_key: '{}',
    labels: text(index ? ['lab'] : ['big']),
    probe: text(probe),
    engines: text(engines()),
  }
  put('runners', {
    id: `rnr_${index}`,
    name: `runner-${index}`,
    ...about,
    enrolled_at: 0,
    last_seen_at: now - (index ? 0 : 1),
  })
}
for (let index = 0; index < 60; index++) {
  const ends = { created_at: 0, started_at: 0, finished_at: 100_000 + 997 * index, likeness: `l${index % 3}` }
  put('jobs', { key: `old-${index}`, kind: 'train', spec: '{}', state: 'done', engine, ...ends })
}
for (let index = 0; index < RUNS; index++) {
  const [submission, run] = [`s${index}`, `r${index}`]
  const about = { benchmark: 'b', method: 'ft', method_version: 1, params: '{}', label: '', visibility: 'public' }
  put('submissions', { id: submission, ...about, author: `a${index % 20}`, token_id: 't', created_at: now })
  const place = { benchmark: 'b', definition_sha256: '', seed: index, ordinal: 0, part: 0 }
  put('runs', { id: run, submission_id: submission, ...place })
  for (const [position, kind] of ['train', 'evaluate'].entries()) {
    const key = `${kind}-${index}`
    put('jobs', {
      key,
      kind,
      spec: '{}',
      requires: text({ labels: [index % 2 ? 'big' : 'lab'] }),
      engine,
      likeness: `l${index % 3}`,
      created_at: now,
    })
    put('run_jobs', { run_id: run, job_key: key, position })
  }
  put('job_inputs', { job_key: `evaluate-${index}`, input_key: `train-${index}` })
}
d1.database.exec('COMMIT')

const db = databaseOf(d1 as unknown as D1Database)
const views: [string, () => Promise<unknown>][] = [
  ['GET /queue', () => getQueue(db, null, Date.now())],
  ['GET /', () => queueCounts(db, Date.now())],
]
for (const [name, view] of views) {
  const times: number[] = []
  for (let i = 0; i < VIEWS; i++) {
    const begin = performance.now()
    await view()
    times.push(Math.round(performance.now() - begin))
  }
  console.log(`${name}, ${RUNNERS} runners, ${RUNS} waiting runs: ${times.join(', ')} ms`)
}
