/** The committed report on metrics, and what is said of each where it is described. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { randomStream } from '../../runner/engine/nn/random.ts'
import { scienceTasks } from '../../runner/science/catalogue/catalogue.ts'
import { type Limit, limitWords, limits as sentences } from '../../runner/science/limits.ts'
import { judged, judgePairs, judgeValues } from '../../scripts/meta-evaluation/order.ts'

const { metrics, population, limits = {} } = scienceTasks.get('classification')!
const report = readFileSync(new URL('../../docs/meta-evaluation.md', import.meta.url), 'utf8')

/** Id and last cell of each line of its tables; of a metric with several numbers the first. */
function limitsInReport(): Map<string, Limit[]> {
  const found = new Map<string, Limit[]>()
  for (const line of report.split('\n')) {
    const [, , id, ...cells] = line.split('|').map((cell) => cell.trim())
    const [, known] = /^`([\w-]+)`$/.exec(id ?? '') ?? []
    const last = cells.at(-2)!
    if (known && !found.has(known)) found.set(known, last === 'none' ? [] : (last.split(', ') as Limit[]))
  }
  return found
}

test('each metric is described with what the report found that it does not see', () => {
  const found = limitsInReport()
  expect(found.size).toBeGreaterThanOrEqual(25)
  for (const [id, own] of found) {
    expect(metrics[id] ?? population!.metrics[id], `${id}: run npm run meta-evaluation`).toBeDefined()
    expect(limits[id] ?? [], `${id}: run npm run meta-evaluation`).toEqual(own)
    for (const limit of own) expect(limitWords(own)).toContain(sentences[limit])
  }
  expect(Object.keys(limits).filter((id) => !found.has(id))).toEqual([])
})

test('accuracy on D_r does not see what was forgotten, accuracy on D_f does', () => {
  expect(limits.ra).toContain('original')
  expect(limits.ua ?? []).not.toContain('original')
  expect(limitWords([])).toBeNull()
})

test('the original is told from retrain where it lies beyond the floor of as many models', () => {
  const distances = { again: 1, original: 5, noise: 2, random: 4 }
  const floors = [3, 5, 10].map((n) => ({ n, floor: 15 / n }))
  expect(judged(distances, floors, 3)).toMatchObject({ from: 5, limits: ['noise', 'random'] })
  // By 5 models it is told by chance, since 10 don't tell it.
  const growing = [1, 9, 2, 6].map((original, at) => ({ n: [3, 5, 10, 64][at]!, floor: 3, original }))
  expect(judged({ ...distances, random: 9 }, growing, 3).from).toBe(64)
  expect(judged({ ...distances, random: 9 }, floors, 1)).toMatchObject({ from: 5, limits: [] })
  expect(judged(distances, floors, 6)).toMatchObject({ from: null, limits: ['original', 'noise', 'random'] })
})

test('floors shrink as models become more, and hold 95 of 100 draws', () => {
  const random = randomStream(0, 'test')
  const drawn = (count: number, shift: number) => Array.from({ length: count }, () => random.normal() + shift)
  const values = {
    retrain: drawn(200, 0),
    again: drawn(200, 0),
    original: drawn(200, 3),
    noise: drawn(200, -2),
    random: drawn(200, 9),
  }
  const { floors, distances, limits } = judgeValues(values, [3, 64], random)
  // 1.96 standard deviations of a difference of means: 1.96 √(2 / n).
  expect(floors[0]!.floor! / (1.96 * Math.sqrt(2 / 3))).toBeGreaterThan(0.85)
  expect(floors[0]!.floor! / (1.96 * Math.sqrt(2 / 3))).toBeLessThan(1.15)
  expect(floors[1]!.floor! / (1.96 * Math.sqrt(2 / 64))).toBeLessThan(1.15)
  expect(distances.noise).toBeGreaterThan(1.5)
  expect(limits).toEqual([])
  const pairs = judgePairs(
    { again: drawn(50, 1), original: drawn(50, 2), noise: drawn(50, 3), random: drawn(50, 9) },
    0,
    [64],
    random,
  )
  expect(pairs.limits).toEqual([])
  expect(pairs.floors[0]!.floor).toBeGreaterThan(1)
})
