/** Mean, spread, gaps, t-tests and ranks of a board, against SalUn's Table 1, against SciPy and by hand. */
import { describe, expect, test } from 'vitest'
import { randomStream } from '../../runner/engine/nn/random.ts'
import {
  avgGap,
  clusteredSpread,
  insuredTTest,
  intervalOf,
  meanAndSpread,
  pairedTTest,
  type RankedRow,
  rankRanges,
  spreadOver,
} from '../../runner/science/statistics.ts'
import { goldenJson } from './golden.ts'

describe('mean and spread', () => {
  test('the spread is the sample standard deviation', () => {
    // mean 4; squares 4 + 0 + 4 = 8, over n - 1 = 2 gives 4, root 2
    expect(meanAndSpread([2, 4, 6])).toEqual({ mean: 4, sd: 2, n: 3 })
  })

  test('one value has no spread', () => {
    expect(meanAndSpread([7])).toEqual({ mean: 7, sd: null, n: 1 })
  })

  test('no value has no mean', () => {
    expect(() => meanAndSpread([])).toThrow('expected at least one value to average, got none')
  })
})

/** UA, RA, TA, MIA and Avg. Gap as printed in Table 1 of SalUn (https://arxiv.org/abs/2310.12508). */
const table = {
  '10%': {
    retrain: [5.24, 100, 94.26, 12.88],
    rows: {
      FT: [0.63, 99.88, 94.06, 2.7, 3.78],
      RL: [7.61, 99.67, 92.83, 37.36, 7.15],
      GA: [0.69, 99.5, 94.01, 1.7, 4.12],
      IU: [1.07, 99.2, 93.2, 2.67, 4.06],
      BE: [0.59, 99.42, 93.85, 7.47, 2.76],
      BS: [1.78, 98.29, 92.69, 8.96, 2.67],
      'l1-sparse': [4.19, 97.74, 91.59, 9.84, 2.26],
      SalUn: [2.85, 99.62, 93.93, 14.39, 1.15],
      // its gap is (3.69 + 0.12 + 0.33 + 0.40) / 4 = 1.135, with the printed gaps 1.1375, and is printed as 1.13
      'SalUn, earlier version': [1.55, 99.88, 93.93, 13.28, 1.13],
      'SalUn-soft': [4.19, 99.74, 93.44, 19.49, 2.19],
    },
  },
  '50%': {
    retrain: [7.91, 100, 91.72, 19.29],
    rows: {
      FT: [0.44, 99.96, 94.23, 2.15, 6.79],
      RL: [4.8, 99.55, 91.31, 41.95, 6.65],
      GA: [0.4, 99.61, 94.34, 1.22, 7.15],
      IU: [3.97, 96.21, 90.0, 7.29, 5.36],
      BE: [3.08, 96.84, 90.41, 24.87, 3.72],
      BS: [9.76, 90.19, 83.71, 32.15, 8.13],
      'l1-sparse': [1.44, 99.52, 93.13, 4.76, 5.72],
      SalUn: [7.75, 94.28, 89.29, 16.99, 2.65],
      'SalUn, earlier version': [5.85, 97.17, 89.45, 19.79, 1.92],
      'SalUn-soft': [3.41, 99.62, 91.82, 31.5, 4.3],
    },
  },
}

const named = ([ua, ra, ta, mia]: number[]) => ({ ua: ua!, ra: ra!, ta: ta!, mia: mia! })

describe.each(Object.entries(table))('the average gap in the Table 1 of SalUn at %s', (_, { retrain, rows }) => {
  test.each(Object.entries(rows))('of %s is the printed one', (_, row) => {
    expect(Math.abs(avgGap(named(row), named(retrain)) - row[4]!)).toBeLessThanOrEqual(0.01 + 1e-9)
  })

  test('of retrain is 0', () => {
    expect(avgGap(named(retrain), named(retrain))).toBe(0)
  })
})

describe('the average gap', () => {
  test('needs every metric on both sides', () => {
    expect(() => avgGap({ ua: 1, ra: 2 }, { ua: 1 })).toThrow('the metric ra on both sides; the reference lack')
    expect(() => avgGap({ ua: 1 }, { ua: 1, ra: 2 })).toThrow('the metric ra on both sides; the values lack')
  })

  test('of no metrics does not exist', () => {
    expect(() => avgGap({}, {})).toThrow('got none')
  })
})

describe('the paired t-test', () => {
  const { cases } = goldenJson('t-test/cases.json') as {
    cases: { a: number[]; b: number[]; p: number; insured: number }[]
  }

  test.each(cases)('has the p-value of SciPy, $p', ({ a, b, p }) => {
    expect(pairedTTest(a.map((value, index) => value - b[index]!)) / p).toBeCloseTo(1, 9)
  })

  test.each(cases)('insured by one more seed has the p-value of SciPy, $insured', ({ a, b, insured }) => {
    expect(insuredTTest(a.map((value, index) => value - b[index]!)) / insured).toBeCloseTo(1, 9)
  })

  test('cannot tell anything from one pair', () => {
    expect(insuredTTest([3])).toBe(1)
    expect(pairedTTest([3])).toBe(1)
  })

  test('takes differences that are all the same by their sign only', () => {
    // of the 2^n ways to flip their signs, two have a mean as far from 0: 2 / 4, 2 / 8, 2 / 64
    expect(pairedTTest([2, 2])).toBe(1 / 2)
    expect(pairedTTest([2, 2, 2])).toBe(1 / 4)
    expect(pairedTTest([-2, -2, -2, -2, -2, -2])).toBe(1 / 32)
    expect(insuredTTest([-2, -2, -2, -2, -2, -2])).toBe(1 / 32)
    // differences of 0.1 but for rounding: 0.09999999999999998, 0.10000000000000009, 0.09999999999999964
    expect(pairedTTest([0.3 - 0.2, 1.1 - 1, 4.1 - 4])).toBe(1 / 4)
  })

  test('takes no difference for none', () => {
    expect(pairedTTest([0, 0, 0])).toBe(1)
  })
})

const row = (id: string, values: number[]): RankedRow => ({
  id,
  bySeed: new Map(values.map((value, seed) => [seed, value])),
})

/** Ten values about a mean that vary by a few hundredths, in another order for each row. */
const about = (mean: number, turn: number): number[] =>
  Array.from({ length: 10 }, (_, seed) => mean + (((seed * turn) % 11) - 5) / 100)

describe('intervals', () => {
  // scipy.stats.t.ppf(0.975, n - 1), and of 0.95 for the last.
  test.each([
    [3, 0.95, 4.302652729911275],
    [5, 0.95, 2.7764451051977987],
    [10, 0.95, 2.2621571627409915],
    [2, 0.9, 6.313751514675043],
  ])('of %d values at level %d lie as far as SciPy says', (n, level, t) => {
    const interval = intervalOf({ mean: 7, sd: 2, n }, level)!
    expect((interval.high - 7) / ((2 * t) / Math.sqrt(n))).toBeCloseTo(1, 9)
    expect(7 - interval.low).toBeCloseTo(interval.high - 7, 12)
  })

  test('one value has none', () => {
    expect(intervalOf(meanAndSpread([7]))).toBeNull()
  })

  test('are over clusters, which are means of their runs, whatever their number', () => {
    const runs = [8, 6, 5, 3, 1].map((value, run) => ({ cluster: Math.floor(run / 2), value }))
    // 7, 4 and 1: mean 4, sd 3.
    expect(clusteredSpread(runs)).toEqual({ mean: 4, sd: 3, n: 3, runs: 5 })
    expect(clusteredSpread(runs.slice(3))).toEqual({ mean: 2, sd: Math.SQRT2, n: 2 })
    expect(
      spreadOver(
        [{ seed: 0 }],
        ({ seed }) => seed,
        () => null,
      ),
    ).toBeNull()
  })

  test('hold the mean of a nested model as often as they say, where intervals over runs do not', () => {
    // A value is the effect of its training, and half as much of its unlearning: 3 trainings, 4 unlearnings each, mean 0.
    const random = randomStream(7, 'nested')
    const held = { clusters: 0, runs: 0 }
    const draws = 8000
    for (let draw = 0; draw < draws; draw++) {
      const trainings = Array.from({ length: 3 }, () => random.normal())
      const values = trainings.flatMap((effect, cluster) =>
        Array.from({ length: 4 }, () => ({ cluster, value: effect + 0.5 * random.normal() })),
      )
      const holds = ({ low, high }: { low: number; high: number }) => low <= 0 && 0 <= high
      if (holds(intervalOf(clusteredSpread(values))!)) held.clusters++
      if (holds(intervalOf(meanAndSpread(values.map(({ value }) => value)))!)) held.runs++
    }
    // The standard error of a share of 95% is 0.24%. Over runs, the variance of the mean is 1/3 + 1/48 and is taken for a twelfth of
    // about 1 + 1/4: sd 0.6 for 0.32, so that an interval of 2.2 of these holds in about 76 of 100 cases.
    expect(Math.abs(held.clusters / draws - 0.95)).toBeLessThan(0.01)
    expect(held.runs / draws).toBeLessThan(0.85)
  })
})

describe('rank ranges', () => {
  test('rows that are clearly apart hold one rank each', () => {
    const ranges = rankRanges([row('c', about(9, 3)), row('a', about(1, 5)), row('b', about(4, 7))])
    expect(Object.fromEntries(ranges)).toEqual({
      a: { low: 1, high: 1 },
      b: { low: 2, high: 2 },
      c: { low: 3, high: 3 },
    })
  })

  test('rows that nothing separates share their ranks', () => {
    const ranges = rankRanges([row('a', about(2, 3)), row('b', about(2, 5)), row('c', about(50, 7))])
    expect(ranges.get('a')).toEqual({ low: 1, high: 2 })
    expect(ranges.get('b')).toEqual({ low: 1, high: 2 })
    expect(ranges.get('c')).toEqual({ low: 3, high: 3 })
  })

  test('a difference that one bad seed would undo separates nothing', () => {
    // The mean difference is 1.9 of its own standard deviations on each of ten seeds: p of the t-test is 0.0002.
    const differences = [1, 2, 3, 1, 2, 3, 1, 2, 3, 2].map((value) => value - 0.5)
    expect(pairedTTest(differences)).toBeLessThan(0.001)
    expect(insuredTTest(differences)).toBeGreaterThan(0.01)
  })

  test('seeds are paired, so a small but steady difference separates noisy rows', () => {
    const seeds = Array.from({ length: 10 }, (_, seed) => 10 * seed)
    const steady = about(1, 3)
    const ranges = rankRanges([
      row('a', seeds),
      row(
        'b',
        seeds.map((value, seed) => value + steady[seed]!),
      ),
    ])
    expect(ranges.get('a')).toEqual({ low: 1, high: 1 })
  })

  test('only common seeds count', () => {
    const a = row('a', about(1, 3))
    const b = row('b', about(5, 5))
    a.bySeed.set(17, 100)
    b.bySeed.set(18, -100)
    expect(rankRanges([a, b]).get('a')).toEqual({ low: 1, high: 1 })
  })

  test.each([[[1]], [[1, 1]], [[1, 1.001]]])('fewer than three common seeds separate nothing: %j', (values) => {
    const ranges = rankRanges([
      row('a', values),
      row(
        'b',
        values.map(() => 100),
      ),
    ])
    expect(ranges.get('a')).toEqual({ low: 1, high: 2 })
    expect(ranges.get('b')).toEqual({ low: 1, high: 2 })
  })

  test('one and the same difference separates two rows from six seeds on', () => {
    const ranked = (seeds: number) => {
      const values = Array.from({ length: seeds }, (_, seed) => 10 * seed)
      return rankRanges([
        row('a', values),
        row(
          'b',
          values.map((value) => value + 1),
        ),
      ]).get('a')
    }
    expect(ranked(5)).toEqual({ low: 1, high: 2 }) // p = 2^-4 = 0.0625
    expect(ranked(6)).toEqual({ low: 1, high: 1 }) // p = 2^-5 = 0.03125
  })

  test('identical rows share a rank', () => {
    const ranges = rankRanges([row('a', [1, 2]), row('b', [1, 2])])
    expect(ranges.get('a')).toEqual({ low: 1, high: 2 })
  })

  test("Holm's correction holds a borderline pair against the number of pairs", () => {
    const pair = [row('a', Array(10).fill(0)), row('b', [1, 2, 3, 1, 2, 3, 1, 2, 3, 2])]
    const p = insuredTTest([1, 2, 3, 1, 2, 3, 1, 2, 3, 2])
    expect(rankRanges(pair, { alpha: 1.01 * p }).get('a')).toEqual({ low: 1, high: 1 })
    expect(rankRanges(pair, { alpha: 0.99 * p }).get('a')).toEqual({ low: 1, high: 2 })
    // a copy of a makes three pairs: both p are held against a third of alpha first
    const three = [...pair, row('copy', Array(10).fill(0))]
    expect(rankRanges(three, { alpha: 2.99 * p }).get('a')).toEqual({ low: 1, high: 3 })
    expect(rankRanges(three, { alpha: 3.01 * p }).get('b')).toEqual({ low: 3, high: 3 })
  })

  test('runs of one cluster count once: two unlearnings of one original are no two originals', () => {
    // Six runs of three originals: the differences are 9, 10 and 11, and each of a pair is 0.01 off.
    const wobble = [9.01, 8.99, 10.01, 9.99, 11.01, 10.99]
    const rows = [row('a', Array(6).fill(0)), row('b', wobble)]
    const clusterOf = (run: number) => Math.floor(run / 2)
    expect(rankRanges(rows).get('a')).toEqual({ low: 1, high: 1 })
    expect(rankRanges(rows, { clusterOf }).get('a')).toEqual({ low: 1, high: 2 })
    const means = [row('a', [0, 0, 0]), row('b', [9, 10, 11])]
    expect(rankRanges(means)).toEqual(rankRanges(rows, { clusterOf }))
    // Two originals are too few, however often each was unlearned.
    const twice = [
      row('a', Array(40).fill(0)),
      row(
        'b',
        Array(40)
          .fill(0)
          .map((_, run) => 100 + (run % 3)),
      ),
    ]
    expect(rankRanges(twice, { clusterOf: (run) => run % 2 }).get('a')).toEqual({ low: 1, high: 2 })
  })

  test('no rows have no ranks', () => {
    expect(rankRanges([]).size).toBe(0)
  })
})
