/** The sentences above a ranking, on rows whose order and spread are made so that it is known who is apart. */
import { expect, test } from 'vitest'
import { apartP } from '../../runner/science/statistics.ts'
import { verdictOf } from '../../runner/science/verdict.ts'

const SEEDS = 10
/** Around 0, without a drift. */
const WOBBLE = [0.3, -0.2, 0.1, -0.4, 0.2, 0.4, -0.1, -0.3, 0.25, -0.25]

function row(
  title: string,
  gap: number,
  more: { params?: Record<string, unknown>; shift?: number; auc?: number; label?: string } = {},
) {
  const { params = {}, shift = 0, auc = 0, label = '' } = more
  const gaps = WOBBLE.map((_, seed) => gap + WOBBLE[(seed + shift) % SEEDS]!)
  const aucs = WOBBLE.map((each) => auc + each)
  return {
    submission: `${title} ${label}`,
    method: title.toLowerCase(),
    title,
    label,
    params,
    avgGap: { mean: gap, sd: 0.29, n: SEEDS },
    gapBySeed: Object.fromEntries(gaps.entries()),
    rank: { low: 1, high: 9 },
    metrics: { auc: { gap: auc, gapP: apartP(aucs) } },
  }
}

const columns = [
  { id: 'ua', title: 'UA', better: 'closer-to-retrain', inAvgGap: true },
  { id: 'auc', title: 'AUC', better: 'closer-to-retrain', inAvgGap: false },
]
const references = [{ ...row('Retrain again', 0.5), method: 'retrain-again' }]

test('the ranking says who is apart from the first, where SalUn stands, what its mask does, and what AUC adds', () => {
  const rows = [
    row('FT', 2),
    row('AMUN', 2.02, { shift: 3 }),
    row('SalUn', 9, { params: { mask: 'saliency' }, auc: -8 }),
    row('SalUn', 9.01, { params: { mask: 'random' }, label: 'mask=random', shift: 5 }),
    row('SalUn', 20, { params: { mask: 'none' }, label: 'mask=none', shift: 2 }),
    row('GA', 30, { shift: 7, auc: 5 }),
  ]
  const { lead, more } = verdictOf({ columns, references, rows })
  const [first, own, random, none, ...others] = lead
  expect(first).toBe(
    'Closest to retrain is FT: Avg. Gap 2.00 ± 0.29 over 10 seeds (a second retraining comes to 0.50). 4 of 5 other rows are apart from it; not apart: AMUN.',
  )
  expect(own).toBe(
    'SalUn, 9.00 ± 0.29, is ahead of SalUn (mask=none) and GA and behind FT and AMUN; from 1 of 5 it is not apart.',
  )
  expect(random).toMatch(
    /^SalUn with SalUn’s mask against a random one: Avg\. Gap −0\.01 ± 0\.\d\d over 10 seeds, not apart/,
  )
  expect(none).toMatch(/against no mask: Avg\. Gap −11\.00 .* closer to retrain \(p = below 0\.001\)/)
  expect(others).toEqual([])
  expect(more).toEqual([
    'AUC tells 2 of 6 rows from retrain, SalUn among them (−8.00); a second retraining lies 0.00 off. Not told: FT, AMUN, SalUn (mask=random), and SalUn (mask=none).',
  ])
})

test('nothing is said of one row, and two seeds separate nothing', () => {
  expect(verdictOf({ columns, references: [], rows: [row('FT', 2)] })).toEqual({ lead: [], more: [] })
  const few = [row('FT', 2), row('GA', 30)].map((each) => ({
    ...each,
    gapBySeed: { 0: each.gapBySeed[0]!, 1: each.gapBySeed[1]! },
  }))
  expect(verdictOf({ columns: [], references: [], rows: few }).lead).toEqual([
    'Closest to retrain is FT: Avg. Gap 2.00 ± 0.29 over 10 seeds. 0 of 1 other rows are apart from it; not apart: GA.',
  ])
})
