/** How much work stages are, and how long they will still take. */
import { expect, test } from 'vitest'
import { planLocal } from '../../runner/pipeline/local.ts'
import { estimateOf } from '../../runner/terminal/estimate.ts'
import { amountOf, workOf } from '../../runner/terminal/stages.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import type { StageSpec } from '../../schema/stage.ts'

const [train, unlearn] = [
  { like: 'train', amount: 100 },
  { like: 'unlearn', amount: 10 },
]

test('time left is told by stages alike, else by all others', () => {
  const estimate = estimateOf([train!, train!, unlearn!, unlearn!], [])
  expect(estimate.secondsLeft([])).toBeNaN()
  expect(estimate.share([])).toBe(0)
  estimate.end(train!, 50)
  // 0.5 s a unit: 100 + 10 + 10 are left.
  expect(estimate.secondsLeft([])).toBe(60)
  estimate.end(unlearn!, 30)
  // An unlearning takes 30 s, however little work it seems; a training 50 s.
  expect(estimate.secondsLeft([])).toBe(80)
  expect(estimate.share([])).toBe(110 / 220)
})

test('the stage under way counts by its own share, else by the time it took', () => {
  const estimate = estimateOf([train!, train!], [])
  // A quarter in 5 s: 15 s for its rest and 20 s for the other.
  expect(estimate.secondsLeft([{ work: train!, part: 0.25, seconds: 5 }])).toBe(35)
  expect(estimate.share([{ work: train!, part: 0.25, seconds: 5 }])).toBe(0.125)
  estimate.end(train!, 20)
  expect(estimate.secondsLeft([{ work: train!, part: null, seconds: 5 }])).toBe(15)
  // However long it takes, it isn't over before it says so.
  expect(estimate.share([{ work: train!, part: null, seconds: 500 }])).toBeCloseTo((1 + 0.95) / 2, 12)
})

test('stages that go on at once are all counted, and share the time left', () => {
  const estimate = estimateOf([train!, train!, train!], [], 2)
  const half = { work: train!, part: 0.5, seconds: 10 }
  // 20 s a training: 10 + 10 + 20 are left, for two at once.
  expect(estimate.secondsLeft([half, half])).toBe(20)
  expect(estimate.share([half, half])).toBeCloseTo(1 / 3, 12)
})

test('reused stages say nothing about speed, and those done before are not left', () => {
  const estimate = estimateOf([train!, train!, unlearn!], [train!])
  estimate.end(train!, null)
  expect(estimate.secondsLeft([])).toBeNaN()
  estimate.end(unlearn!, 3)
  expect([estimate.secondsLeft([]), estimate.share([])]).toEqual([0, 1])
})

async function stagesOf(generates: boolean, params: Record<string, unknown>): Promise<StageSpec[]> {
  const benchmark = [...benchmarks.values()].find(({ task }) => (task.id === 'generation') === generates)!
  const method = { id: 'ft', version: 1, params }
  const reference = { id: 'retrain', version: 1, trainsOn: 'retain', params: {} } as const
  const { stages } = await planLocal([benchmark], { reference, methods: [method], seeds: [0] })
  return stages.map(({ spec }) => spec)
}

test('the work of unlearning follows its passes and its steps', async () => {
  const unlearning = async (generates: boolean, params: Record<string, unknown>) =>
    amountOf((await stagesOf(generates, params)).find(({ kind }) => kind === 'unlearn')!)
  expect(await unlearning(false, { epochs: 6 })).toBe(3 * (await unlearning(false, { epochs: 2 })))
  expect(await unlearning(true, { steps: 1000, batchSize: 128 })).toBe(128_000)
})

test('every stage of every task has work, and seeds are alike', async () => {
  for (const generates of [false, true]) {
    const specs = await stagesOf(generates, {})
    for (const spec of specs) expect(amountOf(spec)).toBeGreaterThan(0)
    const seeds = [0, 1].map((seed) => ({ key: `${seed}`, spec: { ...specs[0]!, seed } }))
    const [first, second] = [...(await workOf(seeds)).values()]
    expect(second).toEqual(first)
  }
})
