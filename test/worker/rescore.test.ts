/** Metrics computed anew from stored evidence: by the Worker itself, and by a machine that hands values in. */
import { afterEach, expect, test } from 'vitest'
import { metricsOf as metricsIn, scienceTasks } from '../../runner/science/catalogue/catalogue.ts'
import type { ScienceTask } from '../../runner/science/task.ts'
import { encodeEvidence } from '../../runner/science/tasks/classification/evidence/codec.ts'
import type { Board } from '../../schema/api/board.ts'
import type { RescoreReport, ScoreChange, ScoreProblem } from '../../schema/api/score.ts'
import type { Submission } from '../../schema/api/submission.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { release } from '../../schema/parts/release.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import type { ArtifactRef } from '../../schema/result.ts'
import type { StageOf } from '../../schema/stage.ts'
import { evidenceFile } from '../support/artifacts.ts'
import {
  ADMIN,
  addBenchmark,
  ask,
  believe,
  bindings,
  errorOf,
  finish,
  lease,
  metricsOf,
  read,
  runner,
  runOf,
  SLUG,
  submit,
  submitter,
  tokenFor,
  upload,
  useSubmitterAndRunner,
} from './support.ts'

const base = benchmarks.get(SLUG)!
const classification = scienceTasks.get('classification')!
afterEach(() => {
  addBenchmark(base)
  scienceTasks.set('classification', classification)
})

useSubmitterAndRunner()

const EVIDENCE = 'evidence.safetensors'

/** Answers of two classes, all of class 0, of which so many are wrong. */
function answers(count: number, wrong: number) {
  const logits = Float32Array.from({ length: 2 * count }, (_, i) => {
    const isWrong = Math.floor(i / 2) < wrong
    return (i % 2 === 0) === isWrong ? -1 - i / 50 : 1
  })
  return { logits, labels: new Uint8Array(count) }
}

/** UA 20 x wrong, RA 100, TA 75, MIA 10. */
const evidence = ({ spec }: Job, wrong: number) =>
  evidenceFile(spec as StageOf<'evaluate'>, { ua: 20 * (wrong % 5), ra: 100, ta: 75, mia: 10 })

interface Evaluated {
  job: Job
  ref: ArtifactRef
}

/** Works everything off. Of each evaluation the evidence is stored, one more fifth of D_f is wrong each time; its scores are what
 *  `claimed` says, from the time when a runner's word was enough. */
async function workOff(claimed = metricsOf({ ua: 1, ra: 2, ta: 3, mia: 4 })): Promise<Evaluated[]> {
  const evaluated: Evaluated[] = []
  for (let job = await lease(runner); job; job = await lease(runner)) {
    if (job.spec.kind === 'evaluate') {
      const ref = await upload(job, evidence(job, evaluated.length))
      evaluated.push({ job, ref })
      await read(await finish(job, { artifacts: { [EVIDENCE]: ref } }))
      await believe(job, claimed)
    } else await read(await finish(job, { seconds: { setUp: 1, train: 9 } }))
  }
  return evaluated
}

const rescore = async (json: Record<string, unknown> = {}, slug = SLUG): Promise<RescoreReport> =>
  read(await ask(`/api/v1/benchmarks/${slug}/rescore`, { token: ADMIN, json: { dryRun: false, ...json } }))

type Taken = { changes: ScoreChange[]; problems: ScoreProblem[] }
const hand = async (evaluations: unknown[], more: Record<string, unknown> = {}): Promise<Taken> =>
  read(await ask('/api/v1/scores', { token: ADMIN, json: { dryRun: false, version: '9.9.9', evaluations, ...more } }))

const rowsOf = async (key?: string) =>
  (
    await bindings.DB.prepare('SELECT * FROM scores WHERE ?1 IS NULL OR job_key = ?1 ORDER BY computed_at, metric')
      .bind(key ?? null)
      .all<{ job_key: string; identity: string; value: number; by: string; version: string; computed_at: number }>()
  ).results

const boardOf = async (): Promise<Board> => read(await ask(`/api/v1/benchmarks/${SLUG}/board`))

/** The classification's metrics, one of them of another version. */
function withSecondVersion(): void {
  const [id, metric] = Object.entries(classification.metrics).find(([, { named }]) => named === base.metrics[3])!
  const second = { ...metric, version: 2, named: metric.named.replace('@1', '@2'), compute: () => 42 }
  const science: ScienceTask = { ...classification, metrics: { ...classification.metrics, [id]: second } }
  scienceTasks.set('classification', science)
  addBenchmark({ ...base, metrics: [...base.metrics.slice(0, 3), second.named] })
}

test('a wrong value is corrected, the old one stays readable, and what is right is left alone', async () => {
  const { runs } = await submit(submitter, { method: 'retrain', seeds: [0] })
  const [only] = await workOff(metricsOf({ ua: 40, ra: 100, ta: 75, mia: 1 }))
  const report = await rescore()
  // None of D_f is wrong; the claim was 40. RA and TA were right.
  expect(report.changes.map(({ metric, before }) => [metric, before])).toEqual([
    ['ua', 40],
    ['mia', 1],
  ])
  expect(report).toMatchObject({ dryRun: false, evaluations: 1, remaining: 0, next: null, problems: [], left: [] })
  const { ua, ra } = (await runOf(runs[0]!.id)).metrics
  expect(ua).toMatchObject({ value: 0, rescored: { by: 'server', version: release }, earlier: [{ value: 40 }] })
  expect(ua!.earlier[0]).toMatchObject({ by: 'runner', version: '0.1.0', identity: 'ua/accuracy@1' })
  // What was the runner's word alone is now the server's too.
  expect(report.confirmed).toBe(2)
  expect(ra).toMatchObject({ value: 100, confirmed: true, rescored: { by: 'server' }, earlier: [{ value: 100 }] })
  expect(await rowsOf(only!.job.key)).toHaveLength(8)
  const page = await (await ask(`/runs/${runs[0]!.id}`)).text()
  expect(page).toContain('Earlier values (4)')
  expect(page).toMatch(/Computed anew from the stored evidence by the server/)
  expect(await rescore()).toMatchObject({ changes: [], confirmed: 0 })
  expect(await rowsOf(only!.job.key)).toHaveLength(8)
})

test('the second version of a metric fills its column for all rows, beside the values of the first', async () => {
  await submit(submitter, { method: 'ft', seeds: [0, 1] })
  const evaluated = await workOff()
  withSecondVersion()
  expect((await boardOf()).rows[0]?.metrics.mia).toBeUndefined()
  const { changes } = await rescore({ onlyMissing: true })
  expect(changes).toHaveLength(evaluated.length)
  expect(changes[0]).toMatchObject({ metric: 'mia', identity: 'mia/svc-confidence@2', before: null, after: 42 })
  const { columns, rows, references } = await boardOf()
  expect(columns.at(-1)).toMatchObject({ id: 'mia', measured: ['mia/svc-confidence@2'] })
  for (const row of [...rows, ...references]) expect(row.metrics.mia).toMatchObject({ mean: 42, n: 2 })
  const run = await runOf(rows[0]!.runs[0]!.id)
  expect(run.metrics.mia?.earlier).toMatchObject([{ identity: 'mia/svc-confidence@1', value: 4 }])
})

test('a dry run, which is the default, tells the same and writes nothing', async () => {
  await submit(submitter, { method: 'retrain', seeds: [0] })
  await workOff()
  const before = await rowsOf()
  const dry = await rescore({ dryRun: undefined })
  expect(await rowsOf()).toEqual(before)
  expect(dry.dryRun).toBe(true)
  const { changes } = await rescore()
  expect(changes).toEqual(dry.changes)
  expect(changes).toHaveLength(4)
})

test('portions follow each other by their cursor, and each evaluation comes once', async () => {
  await submit(submitter, { method: 'ft', seeds: [0, 1] })
  const evaluated = await workOff()
  const seen: string[] = []
  let after: string | null = null
  for (let call = 0; call === 0 || after !== null; call++) {
    const report: RescoreReport = await rescore({ limit: 3, ...(after && { after }) })
    expect(report.evaluations).toBe(call === 0 ? 3 : 1)
    expect(report.remaining).toBe(call === 0 ? 1 : 0)
    seen.push(...new Set(report.changes.map(({ job }) => job)))
    after = report.next
  }
  expect(seen).toEqual(evaluated.map(({ job }) => job.key).sort())
})

test('evidence that is damaged or missing is named, and the others are scored', async () => {
  await submit(submitter, { method: 'ft', seeds: [0] })
  await submit(submitter, { method: 'ga', seeds: [0] })
  const [damaged, missing, whole] = await workOff()
  const pathOf = async ({ ref }: Evaluated) =>
    (await bindings.DB.prepare('SELECT path FROM artifacts WHERE sha256 = ?').bind(ref.sha256).first<string>('path'))!
  await bindings.STORE.put(await pathOf(damaged!), 'other bytes')
  await bindings.STORE.delete(await pathOf(missing!))
  const { problems, changes } = await rescore()
  const why = new Map(problems.map(({ job, why }) => [job, why]))
  expect(why.get(damaged!.job.key)).toMatch(/^evidence\.safetensors is damaged: expected the SHA-256 [0-9a-f]{64}, got/)
  expect(why.get(missing!.job.key)).toMatch(/^evidence\.safetensors \([0-9a-f]{64}\) is missing$/)
  expect(new Set(changes.map(({ job }) => job))).toEqual(new Set([whole!.job.key]))
})

test('a metric that the evidence does not support is named, and leaves the others', async () => {
  await submit(submitter, { method: 'retrain', seeds: [0] })
  const [only] = await workOff({})
  const { labels, logits } = answers(5, 1)
  const empty = { labels: labels.subarray(0, 0), logits: logits.subarray(0, 0) }
  const sets = { forget: { labels, logits }, retain: { labels, logits }, test: empty }
  await replaceEvidence(only!.job, encodeEvidence({ classes: 2, forgottenClass: null, ...sets }))
  const { problems, changes } = await rescore()
  expect(changes.map(({ metric, after }) => [metric, after])).toEqual([
    ['ua', 20],
    ['ra', 80],
  ])
  expect(problems.map(({ why }) => why)).toEqual([
    'ta/accuracy@1: the test set: expected at least one example, got none',
    'mia/svc-confidence@1: the test set: expected at least one example, got none',
  ])
})

test('an SVC that is too large for a Worker is left to a machine with the engine, with the evidence that it needs', async () => {
  await submit(submitter, { method: 'retrain', seeds: [0] })
  const [only] = await workOff({})
  const sets = { forget: answers(5, 1), retain: answers(10_001, 0), test: answers(10_001, 0) }
  const ref = await replaceEvidence(only!.job, encodeEvidence({ classes: 2, forgottenClass: null, ...sets }))
  const { left, changes } = await rescore()
  expect(changes.map(({ metric }) => metric)).toEqual(['ua', 'ra', 'ta'])
  expect(left).toMatchObject([
    { task: 'classification', metrics: ['mia/svc-confidence@1'], artifacts: { [EVIDENCE]: ref } },
  ])
})

test('runs of private submissions are scored too, those of another definition are not', async () => {
  await submit(submitter, { method: 'retrain', seeds: [0], visibility: 'private' })
  await submit(submitter, { method: 'retrain', seeds: [1] })
  await workOff()
  await bindings.DB.prepare(`UPDATE runs SET definition_sha256 = ? WHERE seed = 1`).bind('0'.repeat(64)).run()
  const { evaluations, changes } = await rescore()
  expect([evaluations, new Set(changes.map(({ job }) => job)).size]).toEqual([1, 1])
})

test('the slug of a suite covers its benchmarks', async () => {
  const suite = 'fashion-mnist-5k.small-cnn.class-wise'
  await submit(submitter, { benchmark: suite, method: 'retrain', seeds: [0] })
  const evaluated = await workOff()
  const { evaluations, changes } = await rescore({}, suite)
  expect(evaluations).toBe(evaluated.length)
  expect(new Set(changes.map(({ job }) => job)).size).toBe(evaluated.length)
})

test('values handed in stand under the name of who did, once', async () => {
  const { runs } = await submit(submitter, { method: 'retrain', seeds: [0] })
  const [only] = await workOff()
  const { key } = only!.job
  const metrics = { mia: { identity: 'mia/svc-confidence@1', value: 37.5 } }
  const entry = { job: key, evidence: { [EVIDENCE]: only!.ref.sha256 }, metrics }
  expect(await hand([entry], { dryRun: true })).toMatchObject({ changes: [{ before: 4, after: 37.5 }] })
  expect(await rowsOf(key)).toHaveLength(4)
  expect(await hand([entry])).toMatchObject({ problems: [], changes: [{ before: 4, after: 37.5 }] })
  expect(await hand([entry])).toMatchObject({ problems: [], changes: [] })
  // A product that rounds otherwise on another machine says the same.
  metrics.mia.value += 1e-9
  expect(await hand([entry])).toMatchObject({ problems: [], changes: [] })
  const { mia } = (await runOf(runs[0]!.id)).metrics
  expect(mia).toMatchObject({ value: 37.5, rescored: { by: 'admin', version: '9.9.9' }, earlier: [{ value: 4 }] })
})

test('values of other evidence, under another name or of no evaluation are refused, each with the reason', async () => {
  await submit(submitter, { method: 'retrain', seeds: [0] })
  const [only] = await workOff()
  const { key } = only!.job
  const proof = { [EVIDENCE]: only!.ref.sha256 }
  const mia = { mia: { identity: 'mia/svc-confidence@1', value: 1 } }
  const why = async (entry: Record<string, unknown>) => {
    const { changes, problems } = await hand([{ job: key, evidence: proof, metrics: mia, ...entry }])
    expect(changes).toEqual([])
    return problems[0]?.why
  }
  expect(await why({ job: 'a'.repeat(64) })).toBe('no evaluation here has this key')
  expect(await why({ evidence: { [EVIDENCE]: 'b'.repeat(64) } })).toContain(
    `expected ${only!.ref.sha256}, got ${'b'.repeat(64)}`,
  )
  expect(await why({ evidence: {} })).toContain('got none')
  expect(await why({ evidence: { ...proof, 'x"': 'b'.repeat(64) } })).toContain('expected no such file')
  expect(await why({ metrics: { mia: { identity: 'ua/accuracy@1', value: 1 } } })).toBe(
    'mia: expected an identity that begins with mia/svc-confidence@1, got ua/accuracy@1',
  )
  expect(await why({ metrics: { mia: { ...mia.mia, value: 100.5 } } })).toBe(
    'metrics.mia: expected from 0 to 100 (%), got 100.5',
  )
  const known = [...metricsIn('classification').keys()].join(', ')
  expect(await why({ metrics: { fid: { identity: 'fid', value: 1 } } })).toBe(`fid: expected one of ${known}, got fid`)
  expect(await rowsOf(key)).toHaveLength(4)
})

test('a job that is computed anew while its old evidence is scored gets no value of that', async () => {
  await submit(submitter, { method: 'retrain', seeds: [0] })
  const [only] = await workOff()
  const { key } = only!.job
  // What happens between reading the evidence and writing the value: another result, as after retention emptied the job.
  const database = bindings.DB
  const batch = database.batch.bind(database)
  const other = (await upload((await leaseOther())!, evidence(only!.job, 3))).sha256
  let once = true
  database.batch = async <T>(statements: D1PreparedStatement[]) => {
    if (once) {
      once = false
      await database
        .prepare(`UPDATE jobs SET result = json_set(result, '$.artifacts."${EVIDENCE}".sha256', ?) WHERE key = ?`)
        .bind(other, key)
        .run()
    }
    return batch<T>(statements)
  }
  try {
    const { changes, problems } = await rescore()
    expect(changes).toEqual([])
    expect(problems).toEqual([{ job: key, why: 'it was computed anew meanwhile; rescore once more' }])
  } finally {
    database.batch = batch
  }
  expect(await rowsOf(key)).toHaveLength(4)
  const { changes } = await rescore()
  // Three of five of the evidence that it has now.
  expect(changes).toContainEqual({ job: key, metric: 'ua', identity: 'ua/accuracy@1', before: 1, after: 60 })
})

/** What an evaluation measured becomes something else, which no server would take now. */
async function replaceEvidence({ key }: Job, bytes: Uint8Array<ArrayBuffer>): Promise<ArtifactRef> {
  const ref = await upload((await leaseOther())!, bytes)
  await bindings.DB.prepare(
    `UPDATE jobs SET result = json_set(result, '$.artifacts."${EVIDENCE}"', json(?)) WHERE key = ?`,
  )
    .bind(JSON.stringify(ref), key)
    .run()
  return ref
}

/** A job of another submission, to upload under. */
async function leaseOther(): Promise<Job | null> {
  await submit(submitter, { method: 'retrain', seeds: [5] })
  return lease(runner)
}

test('two calls at once write each value once', async () => {
  await submit(submitter, { method: 'ft', seeds: [0] })
  const evaluated = await workOff()
  await Promise.all([rescore(), rescore(), rescore()])
  expect(await rowsOf()).toHaveLength(8 * evaluated.length)
})

test('only an admin may rescore or hand values in, and only for a benchmark that there is', async () => {
  const asker = { json: {} }
  const path = `/api/v1/benchmarks/${SLUG}/rescore`
  expect(await errorOf(await ask(path, asker))).toMatchObject({ status: 401 })
  expect(await errorOf(await ask(path, { ...asker, token: submitter }))).toMatchObject({ status: 403 })
  expect(await errorOf(await ask('/api/v1/scores', { ...asker, token: submitter }))).toMatchObject({ status: 403 })
  const admin = await tokenFor('admin', 'grace')
  const unknown = await ask('/api/v1/benchmarks/nothing/rescore', { ...asker, token: admin })
  expect(await errorOf(unknown)).toMatchObject({ status: 404, code: 'unknown_benchmark' })
  const odd = await ask(path, { token: admin, json: { limit: 0 } })
  expect(await errorOf(odd)).toMatchObject({ status: 400 })
  const { id } = (await submit(submitter, { method: 'retrain', seeds: [0] })) as Submission
  expect(id).toBeTruthy()
  await workOff()
  expect((await read<RescoreReport>(await ask(path, { token: admin, json: {} }))).evaluations).toBe(1)
})
