/** Suites on one machine: the order of runs, averages over classes, and the table. */
import { expect, test } from 'vitest'
import { type LocalRun, planLocal } from '../../runner/pipeline/local.ts'
import { averaged, summarise } from '../../runner/pipeline/summarise.ts'
import { classTable } from '../../runner/terminal/classes.ts'
import { suites } from '../../schema/catalogue/catalogue.ts'

const suite = suites.get('fashion-mnist-5k.small-cnn.class-wise')!
const retrain = { id: 'retrain', version: 1, trainsOn: 'retain', params: {} } as const
const salun = { id: 'salun', version: 1, params: {} }

test('first seeds of all classes come before second seeds, and all classes share an original', async () => {
  const plan = await planLocal(suite.benchmarks, { reference: retrain, methods: [salun], seeds: [0, 1] })
  expect(plan.runs.slice(0, 4).map(({ benchmark, method, seed }) => [benchmark.request, method.id, seed])).toEqual([
    [{ kind: 'class', label: 0 }, 'retrain', 0],
    [{ kind: 'class', label: 0 }, 'salun', 0],
    [{ kind: 'class', label: 1 }, 'retrain', 0],
    [{ kind: 'class', label: 1 }, 'salun', 0],
  ])
  expect(plan.runs.map(({ seed }) => seed)).toEqual([...Array(20).fill(0), ...Array(20).fill(1)])
  // For each seed the original, and for each class retrain, unlearning and two evaluations.
  expect(plan.stages).toHaveLength(2 * (1 + 10 * 4))
})

const runOf = (label: number, seed: number, ua: number, seconds: number): LocalRun => ({
  benchmark: suite.benchmarks[label]!.slug,
  method: 'salun',
  seed,
  metrics: { ua },
  retrain: { ua: 100 },
  gaps: { ua: ua - 100 },
  avgGap: Math.abs(ua - 100),
  seconds,
  mask: 1,
  // Retrain took 50 s for each class.
  fractionOfRetrain: seconds / 50,
  deviceClass: 'cpu',
  stages: [],
})

test('averages are over the classes of a seed first, and gaps do not cancel out', () => {
  const runs = [runOf(0, 0, 90, 5), runOf(1, 0, 110, 15), runOf(0, 1, 80, 10), runOf(1, 1, 100, 10)]
  expect(averaged(runs).map(({ seed, metrics, gaps, avgGap }) => [seed, metrics.ua, gaps.ua, avgGap])).toEqual([
    [0, 100, 0, 10],
    [1, 90, -10, 10],
  ])
  const { metrics, seconds, fractionOfRetrain, avgGap, gapOfMeans } = summarise('salun', runs, ['ua'])
  // 100 and 90: mean 95, sd sqrt(2 * 25 / 1) = sqrt(50).
  expect(avgGap?.mean).toBe(10)
  // Class 0: 90 and 80, so 15 below; class 1: 110 and 100, so 5 above.
  expect(gapOfMeans).toBe(10)
  expect(metrics.ua).toMatchObject({ mean: 95, n: 2, gap: -5 })
  expect(metrics.ua?.sd).toBeCloseTo(Math.sqrt(50), 12)
  expect([seconds.mean, fractionOfRetrain?.mean]).toEqual([10, 0.2])
})

test('a table has classes down, methods across, and says where nothing was measured', () => {
  const columns = [
    {
      title: 'Retrain',
      cells: [
        { mean: 100, sd: null },
        { mean: 99.5, sd: 0.5 },
      ],
      average: { mean: 99.75, sd: 0.25 },
    },
    { title: 'SalUn', cells: [null, { mean: 7, sd: null }], average: { mean: 7, sd: null } },
  ]
  expect(classTable(['0 Dress', '1 Coat'], columns)).toEqual([
    'Class         Retrain         SalUn',
    '───────────────────────────────────',
    '0 Dress        100.00  not measured',
    '1 Coat   99.50 ± 0.50          7.00',
    '───────────────────────────────────',
    'Average  99.75 ± 0.25          7.00',
  ])
})
