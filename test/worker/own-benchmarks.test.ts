/** Benchmarks that organisers make at a server: who may, what is refused, versions, and that everything works on them. */
import { beforeEach, expect, test } from 'vitest'
import type { BenchmarkView } from '../../schema/api/benchmark.ts'
import type { Board } from '../../schema/api/board.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { setOwnBenchmarks } from '../../worker/http/own-benchmarks.ts'
import { MAX_OWN } from '../../worker/queries/benchmarks/organise.ts'
import {
  ADMIN,
  ask,
  bindings,
  errorOf,
  read,
  runner,
  SLUG,
  submit,
  submitter,
  tokenFor,
  useSubmitterAndRunner,
  workOff,
} from './support.ts'

useSubmitterAndRunner()

let organiser: string
beforeEach(async () => {
  organiser = await tokenFor('organiser')
})

const OWN = 'own.fashion.quick'
const FILE = { id: 'onnx', sha256: '0123456789abcdef'.repeat(4) }
const definition = (more: Record<string, unknown> = {}) => {
  const { presets: _, ...builtIn } = benchmarks.get(SLUG)!
  return { ...builtIn, slug: OWN, title: 'Fashion, quick', summary: 'One epoch.', seeds: [0], ...more }
}
const create = (more: Record<string, unknown> = {}, { token = organiser, ...rest }: Record<string, unknown> = {}) =>
  ask('/api/v1/benchmarks', { token: token as string, json: { benchmark: definition(more), ...rest } })
const retire = (slug: string, token = organiser) =>
  ask(`/api/v1/benchmarks/${slug}/retire`, { token, json: { reason: 'the labels were wrong' } })

test('an organiser and an admin make benchmarks, and an organiser nothing else of an admin', async () => {
  expect((await create({}, { token: submitter })).status).toBe(403)
  expect((await create({}, { token: '' })).status).toBe(401)
  const made = await read<BenchmarkView>(await create(), 201)
  expect(made).toMatchObject({
    slug: OWN,
    own: { author: 'organiser', replaces: null, replacedBy: null, retired: null },
  })
  await read(await create({ slug: 'own.fashion.other' }, { token: ADMIN }), 201)
  for (const path of ['/api/v1/tokens', '/api/v1/runners']) {
    expect((await ask(path, { token: organiser })).status, path).toBe(403)
  }
  expect(
    await errorOf(await ask('/api/v1/submissions', { token: organiser, json: { benchmark: OWN, method: 'ft' } })),
  ).toMatchObject({
    status: 403,
    message: 'expected a submitter token, got an organiser token',
  })
  const { benchmarks: all } = await read<{ benchmarks: BenchmarkView[] }>(await ask('/api/v1/benchmarks'))
  expect(all.filter(({ own }) => own).map(({ slug }) => slug)).toEqual([OWN, 'own.fashion.other'])
  expect(all).toHaveLength(benchmarks.size + 2)
})

test('a request that is repeated under its key makes one, and a slug is taken for ever', async () => {
  const headers = { 'idempotency-key': 'once' }
  const send = () => ask('/api/v1/benchmarks', { token: organiser, json: { benchmark: definition() }, headers })
  expect([(await send()).status, (await send()).status]).toEqual([201, 200])
  expect(await errorOf(await create({ seeds: [0, 1] }))).toMatchObject({ status: 409 })
  const statuses = await Promise.all([1, 2, 3].map(async () => (await create({ slug: 'own.race' })).status))
  expect(statuses.sort()).toEqual([201, 409, 409])
})

test('what cannot be run is refused before it is kept, with its place', async () => {
  const cases: [string, Record<string, unknown>, RegExp][] = [
    ['slug of a release', { slug: 'fashion.quick' }, /slug: expected it to begin with "own\."/],
    ['slug of two lines', { slug: 'own.a\nb' }, /slug: expected lower-case/],
    ['title', { title: 'a\u202eb' }, /title: expected no control characters/],
    ['dataset', { dataset: { id: 'mnist' } }, /no dataset "mnist"/],
    ['path', { dataset: { id: 'image-folder', path: '/etc' } }, /dataset\.path: expected none/],
    ['digest', { dataset: { id: 'image-folder' } }, /dataset\.digest: expected the digest/],
    ['bad digest', { dataset: { id: 'image-folder', digest: 'abc' } }, /dataset\.digest: expected 64/],
    ['model', { model: { id: 'smallcnn' } }, /no model for classification "smallcnn".*small-cnn/],
    ['model parameter', { model: { id: 'small-cnn', params: { width: 0 } } }, /model small-cnn: width/],
    ['classes', { model: { id: 'small-cnn', classes: 3 } }, /configured for 3 classes/],
    ['file without a hash', { model: { id: 'onnx' } }, /model\.sha256: expected the SHA-256 of the file/],
    ['path of a file', { model: { ...FILE, path: '/etc/a.onnx' } }, /model\.path: expected none/],
    ['hash of an architecture', { model: { ...FILE, id: 'small-cnn' } }, /model\.sha256: expected only of a model/],
    ['way out', { model: { ...FILE, external: { '../a': FILE.sha256 } } }, /model\.external: expected the name of a/],
    ['option of a file', { model: { ...FILE, params: { width: 8 } } }, /model onnx: .*width/],
    ['classes of a file', { model: { ...FILE, classes: 3 } }, /model \(onnx\) is configured for 3 classes/],
    ['class', { request: { kind: 'class', label: 10 } }, /forgets class 10/],
    ['metric', { metrics: ['ua/accuracy@9'] }, /no metric .*ua\/accuracy@9/],
    ['preset', { presets: { salum: {} } }, /presets: no method "salum"/],
    ['preset parameter', { presets: { ft: { epoch: 1 } } }, /presets\.ft: no parameter of ft "epoch"/],
    ['preset value', { presets: { ft: { epochs: 'x' } } }, /presets\.ft\.epochs/],
    ['seeds', { seeds: [1, 1] }, /seeds: expected different ones/],
    ['seed', { seeds: [2 ** 40] }, /seeds\.0/],
    ['size', { presets: { ft: { note: 'x'.repeat(40_000) } } }, /at most 32768 characters/],
    ['task', { task: { id: 'speech' } }, /no task "speech"/],
  ]
  for (const [name, more, words] of cases) {
    const { status, message } = await errorOf(await create(more))
    expect(`${name}: ${status} ${message}`).toMatch(new RegExp(`^${name}: 400 .*(${words.source})`, 's'))
  }
  const { benchmarks: all } = await read<{ benchmarks: BenchmarkView[] }>(await ask('/api/v1/benchmarks'))
  expect(all).toHaveLength(benchmarks.size)
})

test('generation is held to what its extractor measures', async () => {
  const suite = [...benchmarks.values()].find(({ task }) => task.id === 'generation')!
  const own = { ...suite, slug: 'own.pictures', seeds: [0] }
  await read(await ask('/api/v1/benchmarks', { token: organiser, json: { benchmark: own } }), 201)
  const part = own.task as unknown as { judge: object }
  const late = { ...own, slug: 'own.late', task: { ...part, judge: { ...part.judge, seed: 2 ** 40 } } }
  const unbuilt = { ...own, slug: 'own.unbuilt', model: { id: 'ddpm-unet', params: { channels: 32, groups: 5 } } }
  for (const [benchmark, words] of [
    [late, 'its stages cannot be planned: seed: '],
    [unbuilt, 'model ddpm-unet: '],
  ] as const) {
    const { status, message } = await errorOf(
      await ask('/api/v1/benchmarks', { token: organiser, json: { benchmark } }),
    )
    expect(`${status} ${message}`).toContain(`400 benchmark: ${words}`)
  }
  const wrong = { ...own, slug: 'own.wrong', metrics: ['classifier-fd/nobody@1'] }
  const { message } = await errorOf(await ask('/api/v1/benchmarks', { token: organiser, json: { benchmark: wrong } }))
  expect(message).toContain('no metric of own.wrong (generation) "classifier-fd/nobody@1"')
})

test('runs on one are measured, and boards, tables, pages and the API show them', async () => {
  await read(await create(), 201)
  const submission = await submit(submitter, { benchmark: OWN, seeds: [0] })
  expect(await (await ask('/queue')).text()).toContain('Fashion, quick')
  await workOff(runner)
  const board = await read<Board>(await ask(`/api/v1/benchmarks/${OWN}/board`))
  expect(board.benchmark.slug).toBe(OWN)
  expect(board.rows.map(({ method, metrics }) => [method, Object.keys(metrics)])).toEqual([
    ['ft', ['ua', 'ra', 'ta', 'mia']],
  ])
  expect(board.references).toHaveLength(1)
  const run = `/runs/${submission.runs[0]!.id}`
  await read(await ask(`/api/v1${run}`))
  for (const path of ['/', run, `/boards/${OWN}`, `/submissions/${submission.id}`, '/methods/ft', '/docs']) {
    const answer = await ask(path)
    expect(`${answer.status} ${path}`).toBe(`200 ${path}`)
    if (path !== '/docs') expect(await answer.text(), path).toContain('Fashion, quick')
  }
  expect(await (await ask(`/api/v1/benchmarks/${OWN}/board.csv`)).text()).toContain('ua/accuracy@1 mean')
  // Repeated elsewhere it has to be asked of this server.
  expect(await (await ask(`/boards/${OWN}`)).text()).toContain('--server http')
  const rescored = await read<{ evaluations: number }>(
    await ask(`/api/v1/benchmarks/${OWN}/rescore`, { token: ADMIN, json: {} }),
  )
  expect(rescored.evaluations).toBe(2)
})

test('the model may be a file that only its hash names, on images that only their digest names', async () => {
  const model = { ...FILE, external: { 'net.onnx.data': 'c'.repeat(64) }, weights: 'original' }
  await read(await create({ slug: 'own.file', model }), 201)
  const made = await read<BenchmarkView>(await ask('/api/v1/benchmarks/own.file'))
  expect(made.model).toEqual({ ...model, params: {} })
  const submission = await submit(submitter, { benchmark: 'own.file', seeds: [0] })
  await workOff(runner)
  const board = await read<Board>(await ask('/api/v1/benchmarks/own.file/board'))
  expect(board.rows.map(({ method, metrics }) => [method, Object.keys(metrics)])).toEqual([
    ['ft', ['ua', 'ra', 'ta', 'mia']],
  ])
  const words = `ONNX file ${FILE.sha256.slice(0, 12)}, whose weights are the original`
  for (const path of ['/boards/own.file', `/runs/${submission.runs[0]!.id}`])
    expect(await (await ask(path)).text(), path).toContain(words)
  for (const path of ['/', '/queue', `/submissions/${submission.id}`, '/methods/ft', '/docs', '/api/v1/openapi.json'])
    expect((await ask(path)).status, path).toBe(200)

  const dataset = { id: 'image-folder', digest: 'd'.repeat(64) }
  await read(await create({ slug: 'own.pets', model: FILE, dataset }), 201)
  await submit(submitter, { benchmark: 'own.pets', seeds: [0] })
  const page = await (await ask('/boards/own.pets')).text()
  expect(page).toContain(`ONNX file ${FILE.sha256.slice(0, 12)}, trained anew`)
})

test('a retired one takes no submissions, keeps its board, and says why and where to go', async () => {
  await read(await create(), 201)
  await submit(submitter, { benchmark: OWN, seeds: [0] })
  expect((await retire(OWN, submitter)).status).toBe(403)
  expect(await read<BenchmarkView>(await retire(OWN))).toMatchObject({
    own: { retired: { reason: 'the labels were wrong' } },
  })
  expect(await errorOf(await retire(OWN))).toMatchObject({ status: 409 })
  const again = await ask('/api/v1/submissions', { token: submitter, json: { benchmark: OWN, method: 'ft' } })
  expect(await errorOf(again)).toMatchObject({ status: 410, code: 'benchmark_retired' })
  // What was submitted before goes on.
  await workOff(runner)
  expect((await read<Board>(await ask(`/api/v1/benchmarks/${OWN}/board`))).rows).toHaveLength(1)
  const page = await (await ask(`/boards/${OWN}`)).text()
  expect(page).toContain('the labels were wrong')
  expect(page).not.toContain('<h2 id="add">')
})

test('a new version has the next slug, and retires the one before', async () => {
  await read(await create(), 201)
  const version = (slug: string, replaces = OWN) => create({ slug, seeds: [0, 1] }, { replaces })
  expect(await errorOf(await version('own.fashion.new'))).toMatchObject({
    status: 400,
    message: `benchmark.slug: expected ${OWN}.v2, the next version of ${OWN}, got own.fashion.new`,
  })
  const second = await read<BenchmarkView>(await version(`${OWN}.v2`), 201)
  expect(second.own).toMatchObject({ replaces: OWN, retired: null })
  const first = await read<BenchmarkView>(await ask(`/api/v1/benchmarks/${OWN}`))
  expect(first.own).toMatchObject({ replacedBy: `${OWN}.v2`, retired: { reason: `replaced by ${OWN}.v2` } })
  expect(await errorOf(await version(`${OWN}.v2`))).toMatchObject({ status: 409 })
  expect(await errorOf(await version(`${OWN}.v3`))).toMatchObject({ status: 409 })
  await read(await version(`${OWN}.v3`, `${OWN}.v2`), 201)
  const again = await errorOf(
    await ask('/api/v1/submissions', { token: submitter, json: { benchmark: OWN, method: 'ft' } }),
  )
  expect(again).toMatchObject({ status: 410, details: { replacedBy: `${OWN}.v2` } })
})

test('those of the release are not an organiser’s to retire or replace', async () => {
  expect(await errorOf(await retire(SLUG))).toMatchObject({ status: 409, code: 'conflict' })
  expect(await errorOf(await create({ slug: `own.${SLUG}` }, { replaces: SLUG }))).toMatchObject({ status: 409 })
  expect(await errorOf(await retire('own.nothing'))).toMatchObject({ status: 404, code: 'unknown_benchmark' })
})

test('an isolate knows what another one made, and forgets what the database no longer has', async () => {
  await read(await create(), 201)
  // As the database is after another isolate wrote to it.
  await bindings.DB.prepare(
    `INSERT INTO own_benchmarks (slug, definition, author, token_id, created_at, change, mark)
      SELECT 'own.elsewhere', json_set(definition, '$.slug', 'own.elsewhere'), author, token_id, 0, 2, 'another' FROM own_benchmarks`,
  ).run()
  await submit(submitter, { benchmark: 'own.elsewhere', seeds: [0] })
  await bindings.DB.prepare(`DELETE FROM own_benchmarks WHERE slug = 'own.elsewhere'`).run()
  expect(await errorOf(await ask('/api/v1/benchmarks/own.elsewhere'))).toMatchObject({ status: 404 })
  // A runner's own request reads what it needs, too.
  await submit(submitter, { benchmark: OWN, seeds: [0] })
  setOwnBenchmarks(new Map())
  await bindings.DB.prepare(`UPDATE own_benchmarks SET mark = 'and another'`).run()
  await workOff(runner)
  const { rows } = await read<Board>(await ask(`/api/v1/benchmarks/${OWN}/board`))
  expect(Object.keys(rows[0]!.metrics)).toEqual(['ua', 'ra', 'ta', 'mia'])
})

test('a server keeps so many of its own', async () => {
  await read(await create(), 201)
  await bindings.DB.prepare(
    `WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
      INSERT INTO own_benchmarks (slug, definition, author, token_id, created_at, change, mark)
      SELECT 'own.many-' || i, definition, author, token_id, 0, i, 'many ' || i FROM own_benchmarks, n`,
  )
    .bind(MAX_OWN)
    .run()
  expect(await errorOf(await create({ slug: 'own.one-more' }))).toMatchObject({
    status: 409,
    message: `this server has ${MAX_OWN} benchmarks of its own, and at most ${MAX_OWN} are kept`,
  })
  expect((await ask('/')).status).toBe(200)
})
