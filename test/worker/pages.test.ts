/** What pages say, read as text, on an empty site and on one with runs. */
import { expect, test } from 'vitest'
import { listed } from '../../schema/catalogue/catalogue.ts'
import {
  ask,
  fail,
  lease,
  read,
  runner,
  SLUG,
  say,
  submit,
  submitter,
  useSubmitterAndRunner,
  workOff,
} from './support.ts'

useSubmitterAndRunner('ada')

const page = async (path: string): Promise<string> => {
  const answer = await ask(path)
  expect(answer.status).toBe(200)
  return answer.text()
}
/** Text as a reader sees it. */
const textOf = (html: string) =>
  html
    .replace(/<style[\s\S]*?<\/style>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&#39;', "'")
    .replace(/\s+/g, ' ')

const score = (method: string, seed: number) =>
  method === 'retrain' ? { ua: 10, ra: 100, ta: 90, mia: 20 } : { ua: 8 - seed, ra: 100, ta: 91, mia: 16 + seed }

test('an empty site says what would appear and how to start', async () => {
  expect(textOf(await page('/'))).toContain('0 running, 0 waiting, 0 runners seen')
  expect(textOf(await page(`/boards/${SLUG}`))).toContain('Nobody has submitted to this board yet')
  expect(textOf(await page('/queue'))).toContain('No runner has enrolled yet')
})

test('a board page prints the values of its API, rounded, with a real minus sign', async () => {
  await submit(submitter, { seeds: [0, 1, 2] })
  await workOff(runner, score)
  const html = await page(`/boards/${SLUG}`)
  const text = textOf(html)
  // UA 8, 7, 6 against 10: mean 7, sd 1, gap -3. Rank among one row is 1.
  expect(text).toContain('7.00 ±1.00 \u22123.00')
  expect(text).toContain('provisional, n=3')
  expect(html).not.toContain('http-equiv="refresh"')
  // Retrain stands above the ranked rows.
  expect(html.indexOf('/methods/retrain')).toBeLessThan(html.indexOf('/methods/ft'))
})

test('a board with unfinished runs says so in words and reloads until it is paused', async () => {
  await submit(submitter, { seeds: [0, 1] })
  await lease(runner)
  const html = await page(`/boards/${SLUG}`)
  expect(textOf(html)).toContain('0 of 2 seeds done, 1 running, 1 waiting')
  expect(html).toContain('http-equiv="refresh"')
  expect(await page(`/boards/${SLUG}?live=0`)).not.toContain('http-equiv="refresh"')
})

test('UA sorts by distance from retrain, and the sorted column says so', async () => {
  await submit(submitter, { method: 'ft', seeds: [0] })
  await submit(submitter, { method: 'ga', seeds: [0] })
  // ft has the smaller UA, but ga is closer to retrain's 10: |9.6 - 10| < |5 - 10|.
  await workOff(runner, (method) => ({
    ua: method === 'ft' ? 5 : method === 'ga' ? 9.6 : 10,
    ra: 100,
    ta: 90,
    mia: 20,
  }))
  const places = async (sort: string) => {
    const html = await page(`/boards/${SLUG}?sort=${sort}`)
    expect(html.match(/aria-sort="(ascending|descending)"/g)).toHaveLength(1)
    return html.indexOf('/methods/ga') < html.indexOf('/methods/ft') ? 'ga first' : 'ft first'
  }
  expect([await places('ua'), await places('-ua')]).toEqual(['ga first', 'ft first'])
})

test('a finished run shows its gap, times, artifacts and the command that repeats it', async () => {
  const { runs } = await submit(submitter, { seeds: [0], label: 'plain' })
  await workOff(runner, score)
  const text = textOf(await page(`/runs/${runs[0]!.id}`))
  expect(text).toContain('FT plain on')
  expect(text).toContain('UA % 8.00 10.00 \u22122.00 ua/accuracy@1')
  expect(text).toContain('0.100× the time of retrain')
  expect(text).toContain(`node runner/palimpsest.js run ${SLUG} --method ft --seeds 0`)
})

test('a failed run begins with its reason, message and last lines, escaped', async () => {
  const { runs } = await submit(submitter, { method: 'retrain', seeds: [0] })
  const job = (await lease(runner))!
  const log = 'epoch 1\n<script>alert(1)</script>\n'
  await read(await say(job, log))
  const failure = { outcome: 'failed', reason: 'numeric_divergence', message: 'the loss was NaN' }
  await read(await fail(job, failure, log))
  const html = await page(`/runs/${runs[0]!.id}`)
  const text = textOf(html)
  expect(text).toContain('numeric divergence')
  expect(text.indexOf('the loss was NaN')).toBeLessThan(text.indexOf('Stages'))
  expect(html).not.toContain('<script>alert')
  expect(html).toContain(`href="/runs/${runs[0]!.id}/log/1?page=1#L2"`)
})

test('methods, submissions, queue and documentation have pages', async () => {
  const { id } = await submit(submitter, { seeds: [0], params: { epochs: 7 } })
  await lease(runner)
  expect(textOf(await page('/methods'))).toContain('Fine-tunes')
  expect(textOf(await page('/methods/ft'))).toContain('learningRate')
  expect(textOf(await page(`/submissions/${id}`))).toContain('0 of 1 seeds done, 1 waiting')
  const queue = textOf(await page('/queue'))
  expect(queue).toContain('1 stage running, 1 run waiting, 1 runner known')
  const docs = textOf(await page('/docs'))
  expect(docs).toContain('mia/svc-confidence@1')
  expect(docs).toContain('U-LiRA u-lira/normal-halves@1')
  expect(docs).toContain('Of 64 models a side and more: palimpsest audit computes it')
  expect(docs).toContain('Known limits, measured on the quickstart: the original comes out as near to retrain')
  expect(docs).toMatch(/exp\(zᵧ − max z\) \/ Σ exp\(z − max z\) computed in float32/)
  expect(docs).toContain('Fewer than three common seeds separate nothing.')
  expect(textOf(await page('/docs/api'))).toContain('GET /api/v1/benchmarks')
})

test('the stylesheet has colours and rules, and may be kept for good under the address that pages name', async () => {
  const [path] = (await page('/')).match(/\/style\.css\?v=\w+/)!
  const answer = await ask(path)
  expect(answer.headers.get('content-type')).toBe('text/css; charset=utf-8')
  expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  const text = await answer.text()
  expect(text).toContain('--text:')
  expect(text).toContain('var(--text)')
})

test('the front page has one entry for a suite, with its classes folded', async () => {
  const html = await page('/')
  const suite = 'fashion-mnist-5k.small-cnn'
  expect(html.match(/<li class="card">/g)).toHaveLength(listed.length)
  const card = html.slice(html.indexOf(`/suites/${suite}.class-wise`))
  expect(card.indexOf('<details')).toBeLessThan(card.indexOf(`/boards/${suite}.class-0`))
  expect(textOf(card)).toContain('T-shirt/top no run yet')
})

test('the page of a suite shows averages, classes of the chosen metric, and what a row lacks', async () => {
  const suite = 'fashion-mnist-5k.small-cnn.class-wise'
  expect(textOf(await page(`/suites/${suite}`))).toContain('Nobody has submitted to this suite')
  await submit(submitter, { benchmark: suite, seeds: [0] })
  await submit(submitter, { benchmark: 'fashion-mnist-5k.small-cnn.class-3', method: 'ga', seeds: [0] })
  await workOff(runner, (method, _, label) => ({
    ua: method === 'ft' ? 90 - label : 95,
    ra: 50 + label,
    ta: 90,
    mia: 100,
  }))
  const html = await page(`/suites/${suite}`)
  const text = textOf(html)
  // UA of ft: 90 - 4.5 on average, 9.5 below retrain; 90 - 3 on class 3.
  expect(text).toContain('85.50 one seed \u22129.50')
  expect(text).toMatch(/3 Dress 95\.00 87\.00 \u22128\.00 95\.00/)
  expect(text).toContain('1 of 10 classes, so not ranked')
  expect(text).toContain('95.00 0 of 1 class')
  expect(html).toContain('UA by forgotten class: Retrain from 95 to 95; FT from 81 to 90; GA from 95 to 95.')
  // Another metric by a link, without script.
  expect(html).toContain(`href="/suites/${suite}?metric=ra#classes"`)
  expect(textOf(await page(`/suites/${suite}?metric=ra`))).toMatch(/9 Ankle boot 59\.00 59\.00 0/)
  expect(textOf(await page('/methods/ft'))).toContain('forget each class')
})

test('the page of a submission to a suite lists its runs by class and seed', async () => {
  const { id } = await submit(submitter, { benchmark: 'fashion-mnist-5k.small-cnn.class-wise', seeds: [0, 1] })
  await workOff(runner, score, 4)
  const text = textOf(await page(`/submissions/${id}`))
  // Class 0: retrain twice, then original and unlearning; the original serves the other classes too.
  expect(text).toContain('0 of 20 runs done, 10 running, 10 waiting')
  expect(text).toContain('0, T-shirt/top Running : class 0, T-shirt/top, seed 0 2 of 3 stages Waiting')
  expect(text).toContain('9, Ankle boot Running : class 9, Ankle boot, seed 0 1 of 3 stages')
})

test('the documentation says how evidence must look that the command scores', async () => {
  const text = textOf(await page('/docs'))
  for (const name of ['forget.logits', 'numpy.savez', '[n, classes]', 'mu and sigma', 'score evidence.npz --retrain']) {
    expect(text).toContain(name)
  }
})

test('no page shows a command that fetches a package by its name', async () => {
  const { id, runs } = await submit(submitter, { seeds: [0] })
  await workOff(runner, score)
  const paths = [
    '/',
    `/boards/${SLUG}`,
    '/queue',
    '/docs',
    '/methods',
    '/methods/ft',
    `/submissions/${id}`,
    `/runs/${runs[0]!.id}`,
  ]
  const texts: string[] = []
  for (const path of paths) texts.push(textOf(await page(path)))
  expect(texts.filter((text) => /\b(npx|npm exec|npm install)\b/.test(text))).toEqual([])
  expect(texts.filter((text) => text.includes('node runner/palimpsest.js')).length).toBeGreaterThan(2)
})
