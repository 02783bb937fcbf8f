/** A board whose runs share seeds, with every number worked out by hand. */
import { beforeEach, expect, test } from 'vitest'
import { type RankedRow, rankRanges } from '../../runner/science/statistics.ts'
import type { Board, BoardRow } from '../../schema/api/board.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import {
  ask,
  bindings,
  read,
  runner,
  SLUG,
  submit,
  submitter,
  tokenFor,
  useSubmitterAndRunner,
  workOff,
} from './support.ts'

useSubmitterAndRunner('ada')

const OWN = 'own.fashion.nested'
const SEEDS = [0, 1, 2, 3, 4, 5]

beforeEach(async () => {
  const { presets: _, ...builtIn } = benchmarks.get(SLUG)!
  const seeding = { runsPerTraining: 2, runsPerForgetSet: 2 }
  const benchmark = {
    ...builtIn,
    slug: OWN,
    title: 'Fashion, nested',
    summary: 'Two unlearnings each.',
    seeds: SEEDS,
    seeding,
  }
  await read(await ask('/api/v1/benchmarks', { token: await tokenFor('organiser'), json: { benchmark } }), 201)
})

/** Retrain is at 10, 100, 90, 20; ft is off in UA alone, ga in RA alone: 9, 10 and 11 points further than ft on average of a cluster. */
const score = (method: string, run: number) => {
  const own = { ua: 10, ra: 100, ta: 90, mia: 20 }
  if (method === 'ft') return { ...own, ua: [8, 6, 5, 3, 2, 0][run]! }
  if (method === 'ga') return { ...own, ra: 100 - 4 * [9.75, 11.5, 13.25][Math.floor(run / 2)]! }
  return own
}
const boardOf = async (): Promise<Board> => read(await ask(`/api/v1/benchmarks/${OWN}/board`))
const bySeed = ({ gapBySeed, submission: id }: BoardRow): RankedRow => ({
  id,
  bySeed: new Map(Object.entries(gapBySeed).map(([seed, gap]) => [Number(seed), gap])),
})

test('two unlearnings of one original are averaged first, and share it and its retrained model', async () => {
  const { id, runs } = await submit(submitter, { benchmark: OWN, method: 'ft' })
  expect(runs.map(({ seed }) => seed)).toEqual(SEEDS)
  await submit(submitter, { benchmark: OWN, method: 'ga' })
  const { results } = await bindings.DB.prepare(
    'SELECT kind, COUNT(*) AS n FROM jobs GROUP BY kind ORDER BY kind',
  ).all()
  // Three originals and three retrained models, these measured once; two methods unlearn six times each.
  expect(results).toEqual([
    { kind: 'evaluate', n: 3 + 12 },
    { kind: 'train', n: 3 + 3 },
    { kind: 'unlearn', n: 12 },
  ])
  await workOff(runner, score)
  const { rows, references, ordering } = await boardOf()
  const [ft, ga] = rows
  // UA of the clusters: 7, 4, 1; gaps of −3, −6, −9 and an insurance 5 · 10/3 deviations against them: SciPy's ttest_1samp.
  expect(ft?.metrics.ua).toEqual({ mean: 4, sd: 3, n: 3, runs: 6, gap: -6, gapP: expect.closeTo(0.640532496, 8) })
  // (10 − UA) / 4 is 0.5, 1, 1.25, 1.75, 2, 2.5: 0.75, 1.5, 2.25 of clusters.
  expect(ft?.avgGap).toEqual({ mean: 1.5, sd: 0.75, n: 3, runs: 6 })
  expect(ft?.gapBySeed).toEqual({ 0: 0.5, 1: 1, 2: 1.25, 3: 1.75, 4: 2, 5: 2.5 })
  expect(ft?.gapOfMeans).toBe(1.5)
  expect(ft?.fractionOfRetrain).toMatchObject({ n: 3, runs: 6 })
  expect(references[0]).toMatchObject({ method: 'retrain', seconds: { mean: 100, n: 3, runs: 6 } })
  // Over six runs ga would be beaten; over three clusters, 9, 10 and 11 points apart, it is not.
  expect(rankRanges([bySeed(ft!), bySeed(ga!)]).get(ga!.submission)).toEqual({ low: 2, high: 2 })
  expect([ft?.rank, ga?.rank]).toEqual([
    { low: 1, high: 2 },
    { low: 1, high: 2 },
  ])
  expect(ordering.clusters).toMatch(/^The 2 runs of one training seed and forget set are averaged first/)
  const page = await (await ask(`/boards/${OWN}`)).text()
  expect(page).toContain('provisional, n=3 of 6 runs')
  expect(page).toContain('The 2 runs of one training seed and forget set are averaged first')
  // 1.5 ± 4.3027 · 0.75 / √3.
  expect(page).toContain('\u22120.363 to 3.363')
  const third = runs.find(({ seed }) => seed === 3)!
  expect(await (await ask(`/runs/${third.id}`)).text()).toContain('training 1, forget set 1, unlearning 3')
  expect(id).toBe(ft?.submission)
})

test('a row that lacks a run is not ranked, though it has every cluster', async () => {
  await submit(submitter, { benchmark: OWN, method: 'ft', seeds: [0, 1, 2, 3, 4] })
  await workOff(runner, score)
  const [ft] = (await boardOf()).rows
  // 0.75, 1.5 and 2: a cluster counts as one, however many of its runs there are.
  expect(ft?.avgGap).toMatchObject({ mean: expect.closeTo(4.25 / 3), n: 3, runs: 5 })
  expect(ft?.rank).toBeNull()
})
