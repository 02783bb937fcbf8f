/** Submissions to suites and the boards of suites. */
import { expect, test } from 'vitest'
import type { Board } from '../../schema/api/board.ts'
import type { Submission } from '../../schema/api/submission.ts'
import type { SuiteBoard } from '../../schema/api/suite.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import {
  ask,
  bindings,
  errorOf,
  finish,
  lease,
  read,
  runner,
  runOf,
  submit,
  submitter,
  useSubmitterAndRunner,
  workOff,
} from './support.ts'

useSubmitterAndRunner('ada')

const FAMILY = 'fashion-mnist-5k.small-cnn'
const SUITE = `${FAMILY}.class-wise`
const GENERATION = 'fashion-mnist-5k-16.ddpm-unet.class-wise'
const classOf = (label: number) => `${FAMILY}.class-${label}`
const labels = Array.from({ length: 10 }, (_, label) => label)

const toSuite = (json: Record<string, unknown> = {}) => submit(submitter, { benchmark: SUITE, seeds: [0], ...json })
const boardOf = async (): Promise<SuiteBoard> => read(await ask(`/api/v1/suites/${SUITE}/board`))
const submissionsOf = async (query: string) =>
  (await read<{ submissions: Submission[] }>(await ask(`/api/v1/submissions?${query}`))).submissions
const countOf = async (table: string) =>
  (await bindings.DB.prepare(`SELECT COUNT(*) AS n FROM ${table}`).first<{ n: number }>())!.n

/** What a job is about, such as `retrain 3` or `unlearn 3`. */
function aboutOf({ spec }: Job): string {
  const request = spec.kind === 'train' ? spec.without : 'request' in spec ? spec.request : null
  const label = request?.kind === 'class' ? ` ${request.label}` : ''
  const kind = spec.kind === 'train' ? (spec.without ? 'retrain' : 'original') : spec.kind
  return `seed ${spec.seed}: ${kind}${label}`
}

/** Leases and finishes up to as many jobs, and tells in which order they came. */
async function handedOut(most = Number.POSITIVE_INFINITY): Promise<string[]> {
  const order: string[] = []
  while (order.length < most) {
    const job = await lease(runner)
    if (!job) break
    order.push(aboutOf(job))
    await read(await finish(job))
  }
  return order
}

test('one submission has a run for each class and seed, and keeps the name of the suite', async () => {
  const submission = await toSuite({ seeds: [4, 2] })
  expect(submission.benchmark).toBe(SUITE)
  expect(submission.runs.map(({ benchmark, seed }) => [benchmark, seed])).toEqual(
    labels.flatMap((label) => [4, 2].map((seed) => [classOf(label), seed])),
  )
  // Nothing is done of training, unlearning and evaluating.
  expect(submission.runs[0]?.stages).toEqual({ done: 0, total: 3 })
  expect((await runOf(submission.runs[2]!.id)).benchmark.request).toEqual({ kind: 'class', label: 1 })
})

test('all classes share the training of the original, and each brings its own retrain along', async () => {
  await toSuite({ seeds: [0, 1] })
  const { results } = await bindings.DB.prepare(
    'SELECT kind, COUNT(*) AS n FROM jobs GROUP BY kind ORDER BY kind',
  ).all()
  // Two seeds: 2 originals and 20 retrained models; 20 models unlearned; 20 of each evaluated.
  expect(results).toEqual([
    { kind: 'evaluate', n: 40 },
    { kind: 'train', n: 22 },
    { kind: 'unlearn', n: 20 },
  ])
})

test('only references that are missing are added', async () => {
  await submit(submitter, { benchmark: classOf(3), seeds: [0] })
  await toSuite({ seeds: [0, 1] })
  const [second, first] = await submissionsOf('method=retrain')
  expect(first?.runs.map(({ benchmark }) => benchmark)).toEqual([classOf(3)])
  expect(second?.runs).toHaveLength(19)
  expect(second?.runs.filter(({ benchmark }) => benchmark === classOf(3)).map(({ seed }) => seed)).toEqual([1])
})

test('image generation brings the original of every class along too, which samples once', async () => {
  await submit(submitter, { benchmark: GENERATION, method: 'salun', seeds: [0] })
  const { results } = await bindings.DB.prepare(
    'SELECT kind, COUNT(*) AS n FROM jobs GROUP BY kind ORDER BY kind',
  ).all()
  // Original, 10 retrained, 10 unlearned: 11 trainings and that of the judge, 21 samplings; each of the three is evaluated on
  // each class.
  expect(results).toEqual([
    { kind: 'evaluate', n: 30 },
    { kind: 'sample', n: 21 },
    { kind: 'train', n: 12 },
    { kind: 'unlearn', n: 10 },
  ])
})

test('first seeds come before second seeds, and classes in their order', async () => {
  await toSuite({ seeds: [0, 1] })
  const order = await handedOut()
  expect(order.slice(0, 9)).toEqual([
    'seed 0: retrain 0',
    'seed 0: evaluate 0',
    'seed 0: original',
    'seed 0: unlearn 0',
    'seed 0: evaluate 0',
    'seed 0: retrain 1',
    'seed 0: evaluate 1',
    'seed 0: unlearn 1',
    'seed 0: evaluate 1',
  ])
  // One original, and four jobs for each class.
  expect(order.map((about) => about.slice(0, 6))).toEqual([...Array(41).fill('seed 0'), ...Array(41).fill('seed 1')])
})

test('a later submission to one class is served before the second class of a suite', async () => {
  await toSuite()
  await submit(submitter, { benchmark: classOf(7), seeds: [0], params: { epochs: 1 } })
  const order = await handedOut(12)
  expect(order.indexOf('seed 0: unlearn 7')).toBeGreaterThan(order.indexOf('seed 0: unlearn 0'))
  expect(order.indexOf('seed 0: unlearn 7')).toBeLessThan(order.indexOf('seed 0: retrain 1'))
})

test('a suite is submitted once per idempotency key', async () => {
  const headers = { 'idempotency-key': 'k1' }
  const json = { benchmark: SUITE, method: 'ft', seeds: [0] }
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => ask('/api/v1/submissions', { token: submitter, json, headers })),
  )
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 201])
  expect(await countOf('runs')).toBe(20)
})

test('a submission that cannot be stored as a whole leaves nothing behind', async () => {
  // The last table that is written refuses the last class.
  await bindings.DB.exec(
    `CREATE TRIGGER full BEFORE INSERT ON run_jobs WHEN (SELECT part FROM runs WHERE id = NEW.run_id) = 9 BEGIN SELECT RAISE(ABORT, 'full'); END`,
  )
  const answer = await ask('/api/v1/submissions', {
    token: submitter,
    json: { benchmark: SUITE, method: 'ft', seeds: [0] },
  })
  expect(answer.status).toBe(500)
  for (const table of ['submissions', 'runs', 'jobs', 'job_inputs', 'run_jobs']) expect(await countOf(table)).toBe(0)
})

test('fifty seeds of ten classes are stored in one go', async () => {
  const submission = await toSuite({ seeds: Array.from({ length: 50 }, (_, seed) => seed) })
  expect(submission.runs).toHaveLength(500)
  // For each seed: the original, and for each class retrain, unlearning and two evaluations.
  expect(await countOf('jobs')).toBe(50 * (1 + 10 * 4))
})

test('an unknown suite, and a suite where a benchmark is meant, are refused with what there is', async () => {
  const unknown = await errorOf(
    await ask('/api/v1/submissions', { token: submitter, json: { benchmark: 'x', method: 'ft' } }),
  )
  expect(unknown).toMatchObject({ status: 404, code: 'unknown_benchmark' })
  expect(unknown.message).toContain(SUITE)
  const board = await errorOf(await ask(`/api/v1/benchmarks/${SUITE}/board`))
  expect(board).toMatchObject({ status: 404 })
  expect(board.message).toContain(`"${SUITE}" is a suite of benchmarks such as "${classOf(0)}"`)
  expect((await errorOf(await ask(`/api/v1/suites/${classOf(0)}/board`))).message).toContain('known: ')
})

/** Retrain forgets everything; ft keeps twice its label in points, and a further point on seed 1. */
const score = (method: string, seed: number, label: number) =>
  method === 'ft' ? { ua: 100 - 2 * label - seed, ra: 100, ta: 90, mia: 100 } : { ua: 100, ra: 100, ta: 90, mia: 100 }

test('a board has the mean over the classes of each seed, then mean and spread over seeds, and each class', async () => {
  const { id } = await toSuite({ seeds: [0, 1] })
  await workOff(runner, score)
  const { suite, references, rows } = await boardOf()
  expect(suite.classes[1]).toEqual({ label: 1, name: 'Trouser', benchmark: classOf(1) })
  expect(references.map(({ method }) => method)).toEqual(['retrain'])
  const [ft] = rows
  expect(ft?.submissions).toEqual([id])
  expect(ft?.averaged).toEqual(labels.map(classOf))
  // UA of seed 0: 100 - 2 (0 + 1 + ... + 9) / 10 = 91; of seed 1: 90. Mean 90.5, sd sqrt(0.5), gap 90.5 - 100.
  expect(ft?.metrics.ua).toEqual({ mean: 90.5, sd: Math.SQRT1_2, n: 2, gap: -9.5, gapP: 1 })
  // Avg. Gap of a class: (2 label + seed) / 4. Over the classes: 9 / 4 and 10 / 4.
  expect(ft?.gapBySeed).toEqual({ 0: 2.25, 1: 2.5 })
  // The suite has three seeds.
  expect(ft?.rank).toBeNull()
  // Each class took 10 s against the 100 s of its retrain.
  expect(ft?.seconds).toEqual({ mean: 10, sd: 0, n: 2 })
  expect(ft?.fractionOfRetrain?.mean).toBeCloseTo(0.1)
  // Class 3: 94 and 93.
  expect(ft?.byClass[classOf(3)]?.metrics.ua).toEqual({ mean: 93.5, sd: Math.SQRT1_2, n: 2, gap: -6.5, gapP: 1 })
  expect(ft?.byClass[classOf(3)]?.avgGap?.mean).toBe(1.625)
})

test('gaps of classes do not cancel out in the average', async () => {
  await toSuite()
  // Retrain is at 50; five classes are 10 above and five 10 below.
  await workOff(runner, (method, _, label) => ({
    ...score('', 0, 0),
    ua: method === 'ft' ? (label < 5 ? 60 : 40) : 50,
  }))
  const { rows } = await boardOf()
  expect(rows[0]?.metrics.ua).toMatchObject({ mean: 50, gap: 0 })
  expect(rows[0]?.avgGap?.mean).toBe(2.5)
  expect(rows[0]?.gapOfMeans).toBe(2.5)
})

test('a row that lacks classes is not ranked against complete ones, however good', async () => {
  await toSuite({ seeds: [0, 1, 2] })
  for (const label of [2, 5]) await submit(submitter, { benchmark: classOf(label), method: 'ga', seeds: [0, 1, 2] })
  // ga is at retrain itself, ft is not.
  await workOff(runner, score)
  const { rows } = await boardOf()
  expect(rows.map(({ method, rank, averaged }) => [method, rank?.low ?? null, averaged.length])).toEqual([
    ['ft', 1, 10],
    ['ga', null, 2],
  ])
  expect(rows[1]).toMatchObject({ averaged: [classOf(2), classOf(5)], metrics: { ua: { mean: 100 } } })
})

test('while classes are missing, averages are over those that are there', async () => {
  await toSuite()
  // Class 0: retrain and its evaluation, original, unlearning, evaluation; class 1: the same without the original.
  await workOff(runner, score, 9)
  const { rows, references } = await boardOf()
  expect(rows[0]).toMatchObject({ averaged: [classOf(0), classOf(1)], rank: null, metrics: { ua: { mean: 99 } } })
  expect(references[0]?.averaged).toHaveLength(2)
})

test('the board of a class shows the rows of submissions to its suite', async () => {
  const { id, runs } = await toSuite()
  await workOff(runner, score)
  const board = await read<Board>(await ask(`/api/v1/benchmarks/${classOf(4)}/board`))
  expect(board.rows.map(({ submission, metrics }) => [submission, metrics.ua?.mean])).toEqual([[id, 92]])
  expect(board.rows[0]?.runs.map((run) => run.id)).toEqual([runs[4]!.id])
  expect(board.references[0]?.runs).toHaveLength(1)
  expect((await submissionsOf(`benchmark=${classOf(4)}&method=ft`)).map((found) => found.id)).toEqual([id])
  expect(await submissionsOf('benchmark=cifar10.resnet18.random-10')).toEqual([])
})

test('cancelling ends the runs of all classes', async () => {
  const { id } = await toSuite()
  const cancelled = await read<Submission>(
    await ask(`/api/v1/submissions/${id}/cancel`, { token: submitter, method: 'POST' }),
  )
  expect(new Set(cancelled.runs.map(({ state }) => state))).toEqual(new Set(['cancelled']))
})

test('a board is exported with a line for the average and one for each class', async () => {
  await toSuite()
  await workOff(runner, score)
  const csv = await (await ask(`/api/v1/suites/${SUITE}/board.csv`)).text()
  const lines = csv.trimEnd().split('\r\n')
  // A head, then average and ten classes of retrain and of ft.
  expect(lines).toHaveLength(1 + 2 * 11)
  expect(lines[0]).toContain('class,classes,ua/accuracy@1 mean')
  expect(lines[12]).toMatch(/^,,,ft,1,,ada,.*,average,10,91,,1,-9,/)
  expect(lines[15]).toMatch(/,2,1,96,,1,-4,/)
})

test('suites are listed with their classes', async () => {
  const { suites } = await read<{ suites: { slug: string; classes: unknown[] }[] }>(await ask('/api/v1/suites'))
  expect(suites.map(({ slug, classes }) => [slug, classes.length])).toContainEqual([SUITE, 10])
})
