/** Metrics of two models on a server: computed when the second of two evaluations has ended, gone with retrain's, computed anew. */
import { runDurableObjectAlarm } from 'cloudflare:test'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { scienceTasks } from '../../runner/science/catalogue/catalogue.ts'
import { TooLongError } from '../../runner/science/plain-tools.ts'
import { EVIDENCE } from '../../runner/science/task.ts'
import type { Board } from '../../schema/api/board.ts'
import type { RescoreReport } from '../../schema/api/score.ts'
import { benchmarks, suites } from '../../schema/catalogue/catalogue.ts'
import { databaseOf } from '../../worker/bindings/database.ts'
import { metricsWanted } from '../../worker/queries/jobs/metrics-wanted.ts'
import { scorePairs } from '../../worker/queries/scores/score-pairs.ts'
import {
  ADMIN,
  ask,
  bindings,
  read,
  runner,
  runOf,
  SLUG,
  submit,
  submitter,
  useSubmitterAndRunner,
  workOff,
} from './support.ts'

useSubmitterAndRunner('ada')

const SUITE = 'fashion-mnist-5k.small-cnn.class-wise'
const benchmark = benchmarks.get(SLUG)!
const ofSuite = suites.get(SUITE)!.benchmarks
const { metrics } = benchmark
const classification = scienceTasks.get('classification')!
beforeEach(() => {
  for (const each of [benchmark, ...ofSuite])
    each.metrics = [...metrics.slice(0, 3), 'tow/accuracy@1', ...metrics.slice(3)]
})
afterEach(() => {
  for (const each of [benchmark, ...ofSuite]) each.metrics = metrics
  scienceTasks.set('classification', classification)
})

const boardOf = async (): Promise<Board> => read(await ask(`/api/v1/benchmarks/${SLUG}/board`))
const towOf = async (method = 'ft') => {
  const { references, rows } = await boardOf()
  return [...references, ...rows].find((row) => row.method === method)?.metrics.tow
}
const setAside = (key: string) => ask(`/api/v1/jobs/${key}/set-aside`, { token: ADMIN, json: { reason: 'made up' } })
const rescore = async (json: Record<string, unknown> = {}): Promise<RescoreReport> =>
  read(await ask(`/api/v1/benchmarks/${SLUG}/rescore`, { token: ADMIN, json: { dryRun: false, ...json } }))
const towRows = async () =>
  (
    await bindings.DB.prepare(`SELECT * FROM scores WHERE metric = 'tow' ORDER BY computed_at`).all<{
      job_key: string
      identity: string
      value: number
      by: string
    }>()
  ).results

/** Lets the Scorer do all that it was handed. */
async function scored(): Promise<void> {
  const { SCORER } = bindings
  while (await runDurableObjectAlarm(SCORER.get(SCORER.idFromName('all')))) {}
}

const score = (method: string) =>
  method === 'ft' ? { ua: 6, ra: 90, ta: 85, mia: 16 } : { ua: 10, ra: 100, ta: 90, mia: 20 }
/** (1 - |UA - retrain's|) (1 - |RA - retrain's|) (1 - |TA - retrain's|), of shares. */
const FT = (1 - 0.04) * (1 - 0.1) * (1 - 0.05)

const evaluationOf = async (id: string) => {
  const { stages } = await runOf(id)
  return stages.find(({ spec }) => spec.kind === 'evaluate')!
}

test('a board shows them once both are evaluated, without a gap, and none of retrain; run page, CSV and API too', async () => {
  const { runs } = await submit(submitter, { seeds: [0, 1, 2] })
  await workOff(runner, score)
  await scored()
  const { columns, rows, references } = await boardOf()
  expect(columns.map(({ id, ofTwo, inAvgGap }) => [id, ofTwo, inAvgGap])).toEqual([
    ['ua', false, true],
    ['ra', false, true],
    ['ta', false, true],
    ['tow', true, false],
    ['mia', false, true],
  ])
  expect(columns[3]!.measured).toEqual(['tow/accuracy@1'])
  const [ft] = rows
  expect(ft!.metrics.tow).toEqual({
    mean: expect.closeTo(FT, 10),
    sd: expect.closeTo(0, 10),
    n: 3,
    gap: null,
    gapP: null,
  })
  expect(ft!.avgGap?.mean).toBe((4 + 10 + 5 + 4) / 4)
  expect(ft!.identities.tow).toEqual(['tow/accuracy@1'])
  expect(references[0]!.metrics.tow).toBeUndefined()

  const run = await runOf(runs[0]!.id)
  const reference = await evaluationOf(run.reference!)
  // What no stage can have is not asked of its runner.
  expect(await metricsWanted(databaseOf(bindings.DB), reference.key)).toEqual(metrics)
  expect(run.metrics.tow).toMatchObject({
    ...{ value: expect.closeTo(FT, 10), retrain: null, gap: null, ofTwo: true, inAvgGap: false, better: 'larger' },
    identity: `tow/accuracy@1;retrain=${reference.artifacts[EVIDENCE]!.sha256}`,
    ...{ computed: { by: 'server' }, confirmed: true, rescored: null, earlier: [] },
  })
  expect((await runOf(run.reference!)).metrics.tow).toBeUndefined()
  const csv = await (await ask(`/api/v1/benchmarks/${SLUG}/board.csv`)).text()
  expect(csv).toContain('tow/accuracy@1 mean,tow/accuracy@1 sd,tow/accuracy@1 n,mia/')
  const page = await (await ask(`/boards/${SLUG}`)).text()
  expect(page).toContain('0.8208')
  expect(page).toContain('ToW (larger is better) is of a row and retrain of the same seed together')
  expect(await (await ask(`/runs/${run.id}`)).text()).toContain('of both together')
})

test('results of retrain that are set aside take them along, whoever is evaluated last brings them back', async () => {
  const { runs } = await submit(submitter, { seeds: [0] })
  await workOff(runner, score)
  await scored()
  const before = (await towOf())!.mean
  const { reference } = await runOf(runs[0]!.id)
  await read(await setAside((await evaluationOf(reference!)).key))
  expect(await towOf()).toBeUndefined()
  expect((await runOf(runs[0]!.id)).metrics.tow).toBeUndefined()
  // Retrain is evaluated after the method, and answers otherwise.
  await workOff(runner, (method) => ({ ...score(method), ua: 6 }))
  await scored()
  const after = (await towOf())!.mean
  expect([before, after]).toEqual([expect.closeTo(FT, 10), expect.closeTo(FT / 0.96, 10)])
  const { tow } = (await runOf(runs[0]!.id)).metrics
  expect(tow).toMatchObject({ rescored: null, earlier: [{ value: before }] })
  // The same answers again: the value that is there counts, and nothing is computed twice.
  await read(await setAside((await evaluationOf(reference!)).key))
  await workOff(runner, (method) => ({ ...score(method), ua: 6 }))
  await scored()
  expect((await towOf())!.mean).toBe(after)
  expect(await towRows()).toHaveLength(2)
  // The model's own result goes with its values.
  await read(await setAside((await evaluationOf(runs[0]!.id)).key))
  expect(await towRows()).toEqual([])
  await workOff(runner, () => score('retrain'))
  await scored()
  expect((await towOf())!.mean).toBeCloseTo(0.96, 10)
})

test('of a suite they are means over the classes', async () => {
  await submit(submitter, { benchmark: SUITE, seeds: [0] })
  await workOff(runner, (method, _, label) => ({ ...score(method), ra: method === 'ft' ? 90 + label : 100 }))
  await scored()
  const { rows } = await read<Board>(await ask(`/api/v1/suites/${SUITE}/board`))
  // RA differs by 10 to 1 points: 0.945 on average.
  expect(rows[0]!.metrics.tow).toMatchObject({
    mean: expect.closeTo((FT / 0.9) * 0.945, 3),
    n: 1,
    gap: null,
    gapP: null,
  })
  expect(await (await ask(`/suites/${SUITE}?metric=tow`)).text()).toContain('larger is better: mean over seeds')
})

test('re-scoring computes what is missing, corrects what is wrong, and leaves what is too much with retrain’s evidence', async () => {
  const { runs } = await submit(submitter, { seeds: [0] })
  await workOff(runner, score)
  const { DB, STORE } = bindings
  await DB.prepare(`DELETE FROM scores WHERE metric = 'tow'`).run()
  expect(await towOf()).toBeUndefined()
  expect(await rescore({ onlyMissing: true })).toMatchObject({
    changes: [{ metric: 'tow', before: null, after: expect.closeTo(FT, 10) }],
    ...{ problems: [], left: [], unknown: [] },
  })
  expect((await towOf())!.mean).toBeCloseTo(FT, 10)
  await DB.prepare(`UPDATE scores SET value = 0.5 WHERE metric = 'tow'`).run()
  expect((await rescore()).changes).toMatchObject([{ metric: 'tow', before: 0.5, after: expect.closeTo(FT, 10) }])
  expect((await rescore()).changes).toEqual([])

  const run = await runOf(runs[0]!.id)
  const [own, reference] = [await evaluationOf(run.id), await evaluationOf(run.reference!)]
  const { tow, ...others } = classification.metrics
  const tooMuch = () => {
    throw new TooLongError('too much')
  }
  scienceTasks.set('classification', { ...classification, metrics: { ...others, tow: { ...tow!, compute: tooMuch } } })
  const retrain = reference.artifacts[EVIDENCE]!
  expect((await rescore()).left).toMatchObject([{ job: own.key, metrics: ['tow/accuracy@1'], retrain }])
  // What another machine computes of it is taken.
  const value = { identity: `tow/accuracy@1;retrain=${retrain.sha256}`, value: 0.25 }
  const entry = { job: own.key, evidence: { [EVIDENCE]: own.artifacts[EVIDENCE]!.sha256 }, metrics: { tow: value } }
  const handed = { dryRun: false, version: '9.9.9', evaluations: [entry] }
  expect(await read(await ask('/api/v1/scores', { token: ADMIN, json: handed }))).toMatchObject({ problems: [] })
  expect((await towOf())!.mean).toBe(0.25)

  scienceTasks.set('classification', classification)
  const path = await DB.prepare('SELECT path FROM artifacts WHERE sha256 = ?')
    .bind(retrain.sha256)
    .first<string>('path')
  await STORE.put(path!, 'other bytes')
  const { problems } = await rescore()
  expect(problems.map(({ job, why }) => [job, why])).toContainEqual([
    own.key,
    expect.stringMatching(/^of retrain: evidence\.safetensors is damaged/),
  ])
})

test('after retrain all that it is beside follow, and go on where a portion ended', async () => {
  for (const method of ['ft', 'ga', 'rl']) await submit(submitter, { method, seeds: [0] })
  await workOff(runner, score)
  await scored()
  const all = await towRows()
  const keys = all.map(({ job_key }) => job_key).sort()
  expect(keys).toHaveLength(3)
  await bindings.DB.prepare(`DELETE FROM scores WHERE metric = 'tow'`).run()
  const reference = (await boardOf()).references[0]!.runs[0]!.id
  const context = { db: databaseOf(bindings.DB), store: bindings.STORE, now: Date.now() }
  const { key } = await evaluationOf(reference)
  expect(await scorePairs(key, keys[0]!, context)).toEqual({ changed: keys.slice(1), next: null })
  expect(await scorePairs(key, '', context)).toEqual({ changed: keys.slice(0, 1), next: null })
  expect((await towRows()).map(({ identity, by }) => [identity, by])).toEqual(
    all.map(({ identity }) => [identity, 'server']),
  )
})
