/** A board whose runs share seeds, worked out by hand and computed again from the values of its runs. */
import { expect, test } from 'vitest'
import type { Recomputed } from '../../runner/agent/recompute.ts'
import { verifyBoard } from '../../runner/agent/verify-board.ts'
import type { Board, BoardRow } from '../../schema/api/board.ts'
import { benchmark as benchmarkShape } from '../../schema/benchmark.ts'
import { 'fashion-mnist-5k.small-cnn.random-10' as quickstart } from '../../schema/benchmarks/index.ts'

const SEEDS = [0, 1, 2, 3]
const IDENTITY = 'ua/accuracy@1'
const benchmark = benchmarkShape.parse({
  ...quickstart,
  ...{ metrics: [IDENTITY], seeds: SEEDS, seeding: { runsPerTraining: 2, runsPerForgetSet: 'all' } },
})

/** UA and seconds of each run. */
const measured: Record<string, [ua: number, seconds: number][]> = {
  retrain: [10, 10, 12, 12].map((ua) => [ua, 100]),
  ft: [
    [5, 10],
    [7, 12],
    [6, 20],
    [4, 22],
  ],
}
const recompute = async (id: string): Promise<Recomputed> => {
  const [method, seed] = [id.split(' ')[0]!, Number(id.split(' ')[1])]
  const [value, seconds] = measured[method]![seed]!
  const run = { id, seed, benchmark, metrics: {}, reference: null } as unknown as Recomputed['run']
  const values = { ua: { identity: IDENTITY, value } }
  return { run, stages: [], values, problems: [], evidence: null, seconds, mask: null, deviceClass: 'cpu' }
}

/** Of two values `apart`, the sample standard deviation is that over √2. */
const two = (mean: number, apart: number) => ({ mean, sd: apart / Math.SQRT2, n: 2, runs: 4 })
const rowOf = (method: string, more: Partial<BoardRow>) =>
  ({
    ...{ submission: method, method, title: method, label: '', mask: null, rank: null },
    runs: SEEDS.map((seed) => ({ id: `${method} ${seed}`, seed, state: 'done' })),
    ...more,
  }) as unknown as BoardRow
const retrain = rowOf('retrain', {
  metrics: { ua: { ...two(11, 2), gap: 0, gapP: 1 } },
  ...{ avgGap: two(0, 0), gapOfMeans: 0, gapBySeed: { 0: 0, 1: 0, 2: 0, 3: 0 } },
  ...{ seconds: two(100, 0), fractionOfRetrain: two(1, 0) },
})
const ft = rowOf('ft', {
  // 6 and 5 of the two trainings, where retrain has 10 and 12; |gap| is 5, 3, 6, 8 of the runs, so 4 and 7.
  metrics: { ua: { ...two(5.5, 1), gap: -5.5, gapP: 1 } },
  ...{ avgGap: two(5.5, 3), gapOfMeans: 5.5, gapBySeed: { 0: 5, 1: 3, 2: 6, 3: 8 } },
  ...{ seconds: two(16, 10), fractionOfRetrain: two(0.16, 0.1), rank: { low: 1, high: 1 } },
})

const problemsOf = async (row: BoardRow) => {
  const shown = { benchmark, references: [retrain], rows: [row] } as unknown as Board
  const rows = await verifyBoard(shown, recompute)
  return rows.flatMap(({ row, checks }) =>
    checks.flatMap(({ part, problem }) => (problem === null ? [] : [`${row} ${part}: ${problem}`])),
  )
}

test('what is averaged by cluster on a board is verified by cluster', async () => {
  expect(await problemsOf(ft)).toEqual([])
})

test('a spread over runs, passed off as one over clusters, is found out', async () => {
  // 5, 3, 6, 8: squares about 5.5 are 0.25 + 6.25 + 0.25 + 6.25 = 13, over 3.
  expect(await problemsOf({ ...ft, avgGap: { mean: 5.5, sd: Math.sqrt(13 / 3), n: 4 } })).toEqual([
    expect.stringMatching(/^ft Avg\. Gap sd: .*2\.08.*2\.12/),
    expect.stringMatching(/^ft Avg\. Gap n: .*4.*2/),
    expect.stringMatching(/^ft Avg\. Gap runs: /),
  ])
})
