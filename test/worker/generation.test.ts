/** Boards and runs of image generation, with every number worked out by hand. */
import { expect, test } from 'vitest'
import { readSafetensors, type Safetensors, type Tensor, writeSafetensors } from '../../runner/formats/safetensors.ts'
import type { Board } from '../../schema/api/board.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import type { StageResult } from '../../schema/result.ts'
import { filesOf } from '../support/artifacts.ts'
import {
  ask,
  believe,
  errorOf,
  finish,
  lease,
  leave,
  read,
  runner,
  runOf,
  submit,
  submitter,
  upload,
  useSubmitterAndRunner,
} from './support.ts'

useSubmitterAndRunner('ada')

const GENERATION = 'fashion-mnist-5k-16.ddpm-unet.class-0'
const JUDGE = `judge=${'b1'.repeat(32)};accuracy=84.20`

/** The head of a PNG: signature, then a chunk IHDR that tells width and height; the rest tells pictures apart. */
function pngOf(width: number, height: number, mark: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(34)
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52])
  const view = new DataView(bytes.buffer)
  view.setUint32(16, width)
  view.setUint32(20, height)
  bytes[33] = mark
  return bytes
}

interface Values {
  ua: number
  ra: number
  fd: number
  kd: number
  /** Generated images of the remaining classes. */
  n?: number
}

function metricsOf({ ua, ra, fd, kd, n = 450 }: Values): StageResult['metrics'] {
  const features = `dim=64;pre=none;weights=${'c2'.repeat(8)};n=${n};m=4500;ref=${'d3'.repeat(32)}${n <= 64 ? ';small-n' : ''}`
  return {
    'generated-ua': { identity: `ua/judge@1;${JUDGE};n=50`, value: ua },
    'generated-ra': { identity: `ra/judge@1;${JUDGE};n=${n}`, value: ra },
    'classifier-fd': { identity: `classifier-fd/small-cnn-features@1;${features}`, value: fd },
    'classifier-kd': { identity: `classifier-kd/small-cnn-features@1;${features}`, value: kd },
  }
}

// Its board asks for these, whatever else the suite comes to name.
benchmarks.get(GENERATION)!.metrics = Object.values(metricsOf({ ua: 0, ra: 0, fd: 0, kd: 0 })).map(
  ({ identity }) => identity.split(';')[0]!,
)

/** Retrain and original; two that are far off in one of both ways; and one in between. */
const invented: Record<string, Values> = {
  retrain: { ua: 90, ra: 85, fd: 20, kd: 5 },
  original: { ua: 10, ra: 88, fd: 18, kd: 4 },
  salun: { ua: 96, ra: 82, fd: 30, kd: 8 },
  ga: { ua: 100, ra: 20, fd: 300, kd: 90 },
  ft: { ua: 12, ra: 86, fd: 17, kd: 4 },
}

/** Leases and finishes everything there is, pictures included; stops before the stage for which `stop` says so. */
async function workOff(
  values: (method: string) => Values = (method) => invented[method]!,
  stop: (kind: string, method: string) => boolean = () => false,
) {
  const makers = new Map<string, string>()
  let pictures = 0
  for (let job = await lease(runner); job; job = await lease(runner)) {
    const { spec, key } = job
    const { weights, samples } = spec.inputs
    const method =
      spec.kind === 'train'
        ? spec.without
          ? spec.draws
            ? 'retrain-again'
            : 'retrain'
          : 'original'
        : spec.kind === 'unlearn'
          ? spec.method.id
          : makers.get((weights ?? samples)!)!
    makers.set(key, method)
    if (stop(spec.kind, method)) return
    const results: Record<string, () => Promise<Partial<StageResult>>> = {
      // Of the model, and of the judge.
      train: async () => ({ seconds: { setUp: 4, train: spec.task === 'generation' ? 96 : 30 } }),
      unlearn: async () => ({ seconds: { setUp: 1, mask: 2, unlearn: 7 } }),
      sample: async () => ({
        // Ten rows of ten images of 48 pixels with 2 between them.
        artifacts: { ...(await leave(job!)), 'samples.png': await upload(job!, pngOf(498, 498, pictures++)) },
        seconds: { setUp: 1, sample: 25 },
      }),
      evaluate: async () => ({ seconds: { setUp: 1, evaluate: 3 } }),
    }
    const result = await results[spec.kind]!()
    await read(await finish(job, result))
    if (spec.kind === 'evaluate') await believe(job, metricsOf(values(method)))
  }
}

const boardOf = async (): Promise<Board> => read(await ask(`/api/v1/benchmarks/${GENERATION}/board`))
const generate = (method: string, more: Record<string, unknown> = {}) =>
  submit(submitter, { benchmark: GENERATION, method, seeds: [0], ...more })

const page = async (path: string): Promise<string> => {
  const answer = await ask(path)
  expect(answer.status).toBe(200)
  return answer.text()
}
const textOf = (html: string) =>
  html
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&#39;', "'")
    .replace(/\s+/g, ' ')

test('a generation board has titles of its own, values, gaps and times as worked out by hand', async () => {
  for (const method of ['original', 'ga', 'ft', 'salun']) await generate(method)
  await workOff()
  const { columns, references, rows } = await boardOf()
  expect(columns.map(({ id, title, better }) => [id, title, better])).toEqual([
    ['generated-ua', 'UA', 'larger'],
    ['generated-ra', 'RA', 'larger'],
    // Features of a small classifier: these are not FID and KID.
    ['classifier-fd', 'Classifier FD', 'smaller'],
    ['classifier-kd', 'Classifier KD', 'smaller'],
  ])
  expect(references.map(({ method, standing }) => [method, standing])).toEqual([
    ['retrain', null],
    ['original', null],
  ])
  const salun = rows.find(({ method }) => method === 'salun')
  expect(salun?.metrics['generated-ua']).toEqual({ mean: 96, sd: null, n: 1, gap: 6, gapP: 1 })
  expect(salun?.metrics['classifier-fd']).toEqual({ mean: 30, sd: null, n: 1, gap: 10, gapP: 1 })
  // Set-up 1 + mask 2 + unlearning 7 against set-up 4 + training 96; sampling and judging are no part of it.
  expect(salun?.seconds?.mean).toBe(10)
  expect(salun?.fractionOfRetrain?.mean).toBeCloseTo(0.1)
  expect(salun).toMatchObject({ avgGap: null, rank: null })
})

test('rows are placed by both UA and the Fréchet distance, and the board says so', async () => {
  for (const method of ['ga', 'ft', 'salun']) await generate(method)
  await workOff()
  const { ordering, rows } = await boardOf()
  expect(ordering.columns).toEqual(['generated-ua', 'classifier-fd'])
  // UA: ga 100, salun 96, ft 12. Distance: ft 17, salun 30, ga 300. SalUn's worse place is 2, the others' 3, both with a 1.
  expect(rows.map(({ method, standing }) => [method, standing])).toEqual([
    ['salun', { place: 1, places: { 'generated-ua': 2, 'classifier-fd': 2 } }],
    ['ga', { place: 2, places: { 'generated-ua': 1, 'classifier-fd': 3 } }],
    ['ft', { place: 2, places: { 'generated-ua': 3, 'classifier-fd': 1 } }],
  ])
  const text = textOf(await page(`/boards/${GENERATION}`))
  expect(text).toContain(ordering.words)
  expect(text).toContain('class 0 (T-shirt/top) of D is to be forgotten')
  expect(text).toContain('50 images of each class by DDIM, 25 steps')
  expect(text).toContain('right about 84.20% of the test set')
  expect(text).not.toContain('Avg. Gap')
  const csv = await (await ask(`/api/v1/benchmarks/${GENERATION}/board.csv`)).text()
  expect(
    csv
      .trimEnd()
      .split('\r\n')
      .map((line) => line.split(',').at(-1)),
  ).toEqual(['place', '', '', '1', '2', '2'])
})

test('a row that is better in both stands before the one that is worse in both, and a larger UA first when sorted by it', async () => {
  await generate('ft')
  await generate('salun')
  await workOff((method) => (method === 'ft' ? { ua: 50, ra: 80, fd: 40, kd: 9 } : invented[method]!))
  const first = async (query: string) => {
    const html = await page(`/boards/${GENERATION}${query}`)
    return html.indexOf('/methods/salun') < html.indexOf('/methods/ft') ? 'salun' : 'ft'
  }
  // SalUn: 96 over 50, and 30 under 40.
  expect([await first(''), await first('?sort=-generated-ua'), await first('?sort=generated-ua')]).toEqual([
    'salun',
    'salun',
    'ft',
  ])
  // The button asks for the best first.
  expect(await page(`/boards/${GENERATION}`)).toContain('value="-generated-ua"')
})

test('values that were measured otherwise than the rest of their column are marked', async () => {
  for (const method of ['original', 'ft', 'salun']) await generate(method)
  await workOff((method) => ({ ...invented[method]!, ...(method === 'salun' && { n: 45 }) }))
  const { columns } = await boardOf()
  // Retrain, original and ft at n=450, then SalUn.
  expect(columns[2]!.measured.map((identity) => /n=\d+/.exec(identity)?.[0])).toEqual(['n=450', 'n=45'])
  const text = textOf(await page(`/boards/${GENERATION}`))
  expect(text.match(/measured otherwise/g)).toHaveLength(3)
  expect(text).toContain('Classifier FD of SalUn (generated images: 45 instead of 450; fewer images than dimensions)')
  expect(text).toContain('biased upwards')
})

test('a row whose own values were not measured alike has no mean and no place, and the page says why', async () => {
  await generate('salun', { seeds: [0, 1] })
  await generate('ft', { seeds: [0, 1] })
  // The second evaluation of salun is of fewer images.
  let evaluated = 0
  await workOff((method) => ({ ...invented[method]!, n: method === 'salun' && evaluated++ > 0 ? 45 : 450 }))
  const { rows } = await boardOf()
  expect(rows.map(({ method, standing }) => [method, standing?.place ?? null])).toEqual([
    ['ft', 1],
    ['salun', null],
  ])
  const salun = rows[1]!
  expect(Object.keys(salun.metrics)).toEqual(['generated-ua'])
  expect(salun.identities['classifier-fd']).toHaveLength(2)
  const text = textOf(await page(`/boards/${GENERATION}`))
  expect(text).toContain('no mean measured in 2 ways too few images')
  expect(text).toContain('Without a mean, because their own values were not measured alike: ')
  expect(text).toContain('Classifier FD of SalUn (generated images: 45 instead of 450; fewer images than dimensions)')
})

test('too few images are marked with words in the cell and on the page of the run', async () => {
  const { runs } = await generate('salun')
  await workOff((method) => ({ ...invented[method]!, n: 64 }))
  expect(
    (await page(`/boards/${GENERATION}`)).match(/<span class="sd warn">too few images<\/span>/g)?.length,
  ).toBeGreaterThan(1)
  expect(textOf(await page(`/runs/${runs[0]!.id}`))).toContain(
    'Too few images: no more than the features have dimensions',
  )
})

test('a run shows original, retrain and itself with the same seed, and the forgotten class in words', async () => {
  await generate('original')
  const { runs } = await generate('salun')
  await workOff()
  const run = await runOf(runs[0]!.id)
  expect(run.samples.map(({ of, state }) => [of, state])).toEqual([
    ['original', 'done'],
    ['retrain', 'done'],
    ['run', 'done'],
  ])
  const html = await page(`/runs/${run.id}`)
  const images = [...html.matchAll(/<img [^>]+>/g)].map(([tag]) => tag)
  expect(images.map((tag) => /src="([^"?]+)/.exec(tag)?.[1])).toEqual(
    run.samples.map(({ picture }) => `/api/v1/artifacts/${picture!.sha256}`),
  )
  // Images of 16 pixels are stored at three times and shown at twice their size: 498 * 2 / 3.
  for (const tag of images) expect(tag).toContain('width="332" height="332"')
  expect(images[0]).toContain('alt="Original, seed 0: samples, rows from T-shirt/top to Ankle boot')
  expect(html).toContain('T-shirt/top<strong>to be forgotten</strong>')
  expect(html.indexOf('<img')).toBeLessThan(html.indexOf('id="result"'))
  const answer = await ask(/src="([^"]+)"/.exec(images[2]!)![1]!)
  expect(answer.headers.get('content-type')).toBe('image/png')
  expect((await answer.arrayBuffer()).byteLength).toBe(34)
})

test('a second retrain is shown beside the first one and the original', async () => {
  const { runs } = await generate('retrain-again')
  await generate('original')
  await workOff((method) => invented[method === 'retrain-again' ? 'retrain' : method]!)
  const run = await runOf(runs[0]!.id)
  expect(run.samples.map(({ of, state }) => [of, state])).toEqual([
    ['original', 'done'],
    ['retrain', 'done'],
    ['run', 'done'],
  ])
  expect(new Set(run.samples.map(({ stage }) => stage)).size).toBe(3)
  expect((await boardOf()).references.map(({ method }) => method)).toEqual(['retrain', 'retrain-again', 'original'])
})

test('pictures that do not exist yet are told in words', async () => {
  const { runs } = await generate('salun')
  await workOff(undefined, (kind, method) => kind === 'sample' && method === 'salun')
  const html = await page(`/runs/${runs[0]!.id}`)
  const text = textOf(html)
  // Those of retrain and of the original, which every submission of generation brings along.
  expect(html.match(/<img /g)).toHaveLength(2)
  expect(text).toContain('Not sampled yet: running')
})

test('a run names its stages, its identities in full and the command that repeats it', async () => {
  const { runs } = await generate('salun', { params: { alpha: 0.5 } })
  await workOff()
  const run = await runOf(runs[0]!.id)
  expect(run.metrics['generated-ua']).toMatchObject({ value: 96, retrain: 90, gap: 6, better: 'larger' })
  expect(run.metrics['generated-ua']?.identity).toBe(`ua/judge@1;${JUDGE};n=50`)
  expect(run.command).toBe(`node runner/palimpsest.js run ${GENERATION} --method salun --param alpha=0.5 --seeds 0`)
  const text = textOf(await page(`/runs/${run.id}`))
  for (const title of ['Unlearn with SalUn', 'Sample images of every class', 'Train the judge', 'Judge and compare']) {
    expect(text).toContain(title)
  }
  expect(text).not.toContain('closer to retrain')
})

test('samples of another number, and what was measured of others or by another judge, are refused', async () => {
  await generate('retrain')
  const refused = async (job: Job, name: string, change: (file: Safetensors) => void) => {
    const file = readSafetensors((await filesOf(job.spec))[name]!)
    change(file)
    const artifacts = {
      ...(await leave(job)),
      [name]: await upload(job, writeSafetensors(file.tensors, file.metadata)),
    }
    const { code, message } = await errorOf(await finish(job, { artifacts }))
    expect(code).toBe('invalid_result')
    return message
  }
  const one: Tensor = { dtype: 'U8', shape: [1], data: new Uint8Array(1) }
  for (let job = await lease(runner); job; job = await lease(runner)) {
    if (job.spec.kind === 'sample') {
      const fewer = refused(job, 'samples.safetensors', ({ tensors }) => tensors.set('labels', one))
      expect(await fewer).toContain('expected labels as U8 [500], got U8 [1]')
    }
    if (job.spec.kind === 'evaluate') {
      const evidence = (change: (file: Safetensors) => void) => refused(job!, 'evidence.safetensors', change)
      const other = 'f'.repeat(64)
      expect(await evidence(({ metadata }) => Object.assign(metadata, { 'judge.key': other }))).toContain(
        `expected the judge ${job.spec.inputs.judge}, got ${other}`,
      )
      expect(await evidence(({ metadata }) => Object.assign(metadata, { 'real.sha256': other }))).toContain(
        `expected ${other} as reference.safetensors`,
      )
      const sorted = evidence(({ tensors }) => (tensors.get('labels')!.data as Uint8Array).sort())
      expect(await sorted).toContain('expected image 1 of class 1, got 0')
    }
    await read(await finish(job))
  }
})

test('a method that cannot unlearn what a benchmark asks for is refused', async () => {
  const json = { benchmark: 'fashion-mnist-5k.small-cnn.random-10', method: 'esd' }
  const answer = await ask('/api/v1/submissions', { token: submitter, json })
  const { code, message } = await errorOf(answer)
  expect(code).toBe('unknown_method')
  expect(message).toContain('"esd" has nothing to offer for classification, which is what')
})

test('an empty generation board and the documentation say what would be measured', async () => {
  expect(textOf(await page(`/boards/${GENERATION}`))).toContain('Nobody has submitted to this board yet')
  const docs = textOf(await page('/docs'))
  expect(docs).toContain('Classifier FD classifier-fd/*@1')
  expect(docs).toContain('FID fid/inception-v3-pool3@1')
  expect(textOf(await page('/methods/esd'))).toContain('strength')
  expect(textOf(await page('/'))).toContain('No row was measured yet')
})
