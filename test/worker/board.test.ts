/** The board of a classification benchmark, with every number worked out by hand. */
import { expect, onTestFinished, test } from 'vitest'
import type { Board } from '../../schema/api/board.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import {
  ask,
  read,
  runner,
  runOf,
  SLUG,
  submit,
  submitter,
  tokenFor,
  useSubmitterAndRunner,
  workOff,
} from './support.ts'

useSubmitterAndRunner('ada')

const boardOf = async (): Promise<Board> => read(await ask(`/api/v1/benchmarks/${SLUG}/board`))

/** Retrain is at 10, 100, 90, 20 on every seed; ft is off by a little more on each further seed; ga is far off. */
const score = (method: string, seed: number) => {
  if (method === 'ft') return { ua: 8 - seed, ra: 100, ta: 91, mia: 16 + seed }
  if (method === 'ga') return { ua: 2 - 0.4 * seed, ra: 90, ta: 80, mia: 0 }
  if (method === 'original') return { ua: 1, ra: 100, ta: 91, mia: 3 }
  return { ua: 10, ra: 100, ta: 90, mia: 20 }
}

test('a board shows mean, spread, gap, time and rank as worked out by hand', async () => {
  await submit(submitter, { method: 'ga', seeds: [0, 1, 2] })
  await submit(submitter, { method: 'ft', seeds: [0, 1, 2] })
  await submit(submitter, { method: 'original', seeds: [0] })
  await workOff(runner, score)
  const { references, rows, columns } = await boardOf()
  expect(columns.map(({ id }) => id)).toEqual(['ua', 'ra', 'ta', 'mia'])
  expect(references.map(({ method }) => method)).toEqual(['retrain', 'original'])
  expect(rows.map(({ method }) => method)).toEqual(['ft', 'ga'])
  const [ft, ga] = rows
  // UA of seeds 0, 1, 2: 8, 7, 6. Mean 7, deviations 1, 0, -1, so sd = sqrt(2 / 2) = 1; gap = 7 - 10.
  // Gaps -2, -3, -4, and a fourth seed 5 * 10 / 3 deviations against them, 13.67: SciPy's ttest_1samp of the four. Equal gaps count
  // by their sign: 2^-2.
  expect(ft?.metrics.ua).toEqual({ mean: 7, sd: 1, n: 3, gap: -3, gapP: expect.closeTo(0.798606079, 8) })
  expect(ft?.metrics.ta).toEqual({ mean: 91, sd: 0, n: 3, gap: 1, gapP: 0.25 })
  // |gap| of seed 0: 2, 0, 1, 4 -> 7/4; seed 1: 3, 0, 1, 3 -> 7/4; seed 2: 4, 0, 1, 2 -> 7/4.
  expect(ft?.avgGap).toEqual({ mean: 1.75, sd: 0, n: 3 })
  expect(ft?.gapBySeed).toEqual({ 0: 1.75, 1: 1.75, 2: 1.75 })
  // ga, seed 0: |2-10| + |90-100| + |80-90| + |0-20| = 48 -> 12; each further seed adds 0.4 / 4 = 0.1.
  expect(ga?.gapBySeed).toEqual({ 0: 12, 1: expect.closeTo(12.1), 2: expect.closeTo(12.2) })
  // The differences -10.25, -10.35, -10.45 are far from 0 beside their spread of 0.1, so ft beats ga.
  expect([ft?.rank, ga?.rank]).toEqual([
    { low: 1, high: 1 },
    { low: 2, high: 2 },
  ])
  // Set-up 1 + mask 2 + unlearning 7 = 10 seconds against set-up 4 + training 96 = 100.
  expect(ft?.seconds).toEqual({ mean: 10, sd: 0, n: 3 })
  expect(ft?.mask).toEqual({ mean: 2, sd: 0, n: 3 })
  expect(ft?.fractionOfRetrain?.mean).toBeCloseTo(0.1)
  expect(references[0]).toMatchObject({ rank: null, seconds: { mean: 100 }, avgGap: { mean: 0 } })
})

test('a second retrain that somebody submitted is the floor: a reference with a gap, after retrain', async () => {
  await submit(submitter, { method: 'original', seeds: [0, 1] })
  await submit(submitter, { method: 'retrain-again', seeds: [0, 1] })
  await submit(submitter, { method: 'ft', seeds: [0, 1] })
  await workOff(runner, (method, seed) =>
    method === 'retrain-again' ? { ua: 11 + seed, ra: 100, ta: 90, mia: 19 } : score(method, seed),
  )
  const { references, rows } = await boardOf()
  // |11 - 10| + |19 - 20| = 2 -> 0.5; one more in UA of seed 1 -> 0.75.
  expect(references.map(({ method, avgGap, rank }) => [method, avgGap?.mean, rank])).toEqual([
    ['retrain', 0, null],
    ['retrain-again', 0.625, null],
    ['original', (9 + 0 + 1 + 17) / 4, null],
  ])
  // Nobody's submission brings it along.
  expect(references[1]!.runs.map(({ seed }) => seed)).toEqual([0, 1])
  expect(rows.map(({ method }) => method)).toEqual(['ft'])
  const page = await (await ask(`/boards/${SLUG}`)).text()
  expect(page).toContain('<a href="/methods/retrain-again">Retrain again</a>')
  const own = await (await ask('/methods/retrain-again')).text()
  expect(own).toMatch(/0\.63 ±0\.18/)
})

test('the gap of means stands beside Avg. Gap, and does not rank', async () => {
  await submit(submitter, { method: 'ga', seeds: [0, 1] })
  await submit(submitter, { method: 'ft', seeds: [0, 1] })
  // ft is 8 above and 8 below in UA; ga is 2 below twice.
  await workOff(runner, (method, seed) => ({
    ua: method === 'retrain' ? 50 : method === 'ft' ? [58, 42][seed]! : 48,
    ra: 100,
    ta: 90,
    mia: 20,
  }))
  const { rows, ordering } = await boardOf()
  expect(rows.map(({ method, avgGap, gapOfMeans }) => [method, avgGap?.mean, gapOfMeans])).toEqual([
    ['ga', 0.5, 0.5],
    ['ft', 2, 0],
  ])
  expect(ordering.words).toContain('the mean over seeds of the gap of each. The gap of means')
  const csv = (await (await ask(`/api/v1/benchmarks/${SLUG}/board.csv`)).text())
    .split('\r\n')
    .map((line) => line.split(','))
  const at = csv[0]!.indexOf('gap of means')
  // The parameters hold commas: counted from the end.
  const fromEnd = csv[0]!.length - at
  expect(csv.slice(2, 4).map((line) => line.at(-fromEnd))).toEqual(['0.5', '0'])
  const page = await (await ask(`/boards/${SLUG}`)).text()
  expect(page).toContain('gap of means below')
  expect(page).toMatch(/<span class="mean">2\.00<\/span><span class="sd">±0<\/span><span class="sd">of means 0<\/span>/)
})

test('two rows that the seeds do not separate share a range of ranks', async () => {
  await submit(submitter, { method: 'ga', seeds: [0, 1, 2] })
  await submit(submitter, { method: 'ft', seeds: [0, 1, 2] })
  // The sign of the difference changes from seed to seed.
  await workOff(runner, (method, seed) => ({
    ua: method === 'retrain' ? 10 : method === 'ft' ? [1, 9, 3][seed]! : [4, 2, 7][seed]!,
    ra: 100,
    ta: 90,
    mia: 20,
  }))
  const { rows } = await boardOf()
  expect(rows.map(({ rank }) => rank)).toEqual([
    { low: 1, high: 2 },
    { low: 1, high: 2 },
  ])
})

test('submissions of equal settings share a row and pool their seeds', async () => {
  const first = await submit(submitter, { seeds: [0, 1] })
  const second = await submit(await tokenFor('submitter', 'bob'), { seeds: [1, 2] })
  await submit(submitter, { seeds: [0], params: { epochs: 9 }, label: '9 epochs' })
  await workOff(runner, score)
  const { rows } = await boardOf()
  const row = rows.find(({ submission }) => submission === first.id)
  expect(rows).toHaveLength(2)
  expect(row?.submissions).toEqual([first.id, second.id])
  expect(row?.runs.map(({ seed, state }) => [seed, state])).toEqual([
    [0, 'done'],
    [1, 'done'],
    [2, 'done'],
  ])
})

test('a row whose seeds are not all done counts the finished ones and lists the others', async () => {
  await submit(submitter, { seeds: [0, 1] })
  const { rows } = await boardOf()
  expect(rows[0]).toMatchObject({ avgGap: null, rank: null, metrics: {}, seconds: null })
  expect(rows[0]?.runs.map(({ state }) => state)).toEqual(['queued', 'queued'])
})

test('a run names its gaps to retrain of the same seed and the command that repeats it', async () => {
  const { runs } = await submit(submitter, { seeds: [1], params: { epochs: 9 } })
  await workOff(runner, score)
  const run = await runOf(runs[0]!.id)
  expect(run.metrics.ua).toMatchObject({ value: 7, retrain: 10, gap: -3 })
  expect(run.avgGap).toBe(1.75)
  expect(run.fractionOfRetrain).toBeCloseTo(0.1)
  expect(run.command).toBe(`node runner/palimpsest.js run ${SLUG} --method ft --param epochs=9 --seeds 1`)
  expect((await runOf(run.reference!)).method).toBe('retrain')
})

test('a board is exported as CSV with unrounded numbers', async () => {
  await submit(submitter, { seeds: [0, 1, 2], label: '=1+1' })
  await workOff(runner, score)
  const csv = await (await ask(`/api/v1/benchmarks/${SLUG}/board.csv`)).text()
  const lines = csv.trimEnd().split('\r\n')
  expect(lines).toHaveLength(3)
  expect(lines[0]).toContain('ua/accuracy@1 mean,ua/accuracy@1 sd,ua/accuracy@1 n,ua/accuracy@1 gap')
  // A cell that begins like a formula is defused.
  expect(lines[2]).toContain("1,1,ft,1,'=1+1,ada,")
})

test('an attack beside Avg. Gap has its column with a gap, and counts for no rank', async () => {
  const benchmark = benchmarks.get(SLUG)!
  const { metrics } = benchmark
  onTestFinished(() => void Object.assign(benchmark, { metrics }))
  benchmark.metrics = [...metrics, 'auc/confidence@1']
  await submit(submitter, { method: 'ft', seeds: [0] })
  await workOff(runner, score)
  const { columns, rows, references } = await boardOf()
  expect(columns.map(({ inAvgGap }) => inAvgGap)).toEqual([true, true, true, true, false])
  // The server computes it from the evidence, whatever the runner says.
  const [own, retrain] = [rows[0]!, references[0]!].map((row) => row.metrics['auc-confidence']!)
  expect(own!.mean).not.toBe(retrain!.mean)
  expect(own!.gap).toBeCloseTo(own!.mean - retrain!.mean, 10)
  expect(rows[0]!.avgGap?.mean).toBe(1.75) // (2 + 0 + 1 + 4) / 4
  const run = await runOf(rows[0]!.runs[0]!.id)
  expect(run.metrics['auc-confidence']).toMatchObject({ inAvgGap: false, better: 'closer-to-retrain', confirmed: true })
  expect(run.avgGap).toBe(1.75)
  const page = await (await ask(`/boards/${SLUG}`)).text()
  expect(page).toContain('not in Avg. Gap')
  expect(page).toContain('Avg. Gap is the mean over UA, RA, TA, and MIA alone.')
})

test('under a ruleset a board has its rows alone, ranked among each other', async () => {
  const seeds = [0, 1, 2]
  await submit(submitter, { method: 'ft', seeds, tuning: { trials: 5, pilots: [1000], seconds: 9 } })
  await submit(submitter, { method: 'ga', seeds, tuning: { trials: 0, pilots: [], seconds: 0 } })
  await submit(submitter, { method: 'rl', seeds })
  await workOff(runner, score)
  const ranksUnder = async (rules: string) => {
    const { references, rows } = await read<Board>(await ask(`/api/v1/benchmarks/${SLUG}/board${rules}`))
    expect(references.map(({ method }) => method)).toEqual(['retrain'])
    return rows.map(({ method, rank }) => [method, rank?.low, rank?.high])
  }
  // rl has what retrain has: a gap of 0. Equal differences of three seeds count by their sign, 2^-2, so ft is not apart from it.
  expect(await ranksUnder('')).toEqual([
    ['rl', 1, 2],
    ['ft', 1, 2],
    ['ga', 3, 3],
  ])
  expect(await ranksUnder('?rules=tuned')).toEqual([['ft', 1, 1]])
  expect(await ranksUnder('?rules=self-tuning')).toEqual([['ga', 1, 1]])
  expect((await ask(`/api/v1/benchmarks/${SLUG}/board?rules=none`)).status).toBe(400)
  const csv = await (await ask(`/api/v1/benchmarks/${SLUG}/board.csv?rules=tuned`)).text()
  expect([csv.includes(',ft,'), csv.includes(',ga,')]).toEqual([true, false])
  const page = async (query: string) => (await ask(`/boards/${SLUG}${query}`)).text()
  expect(await page('')).toMatch(/<a href="[^"]*\?rules=tuned#ranking"[^>]*>tuned 1<\/a>/)
  expect(await page('?rules=tuned')).toMatch(/aria-current="true"[^>]*>tuned 1/)
  // What is no ruleset is all of them.
  expect(await page('?rules=none')).toMatch(/aria-current="true">All 3 rows/)
})
