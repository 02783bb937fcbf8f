import { expect, test } from 'vitest'
import { rateAt } from '../../runner/nn/schedules.ts'
import { type Schedule, trainingRecipe } from '../../schema/benchmark.ts'

const recipe = (schedule: Schedule, more: object = {}) =>
  trainingRecipe.parse({
    epochs: 10,
    batchSize: 1,
    learningRate: 0.1,
    schedule,
    optimizer: { kind: 'sgd' },
    augment: false,
    ...more,
  })

test('a constant rate stays', () => {
  expect([0, 5, 9.9].map((epoch) => rateAt(recipe({ kind: 'constant' }), epoch))).toEqual([0.1, 0.1, 0.1])
})

test('a step schedule multiplies at each milestone it has reached', () => {
  const step = recipe({ kind: 'step', milestones: [4, 8], factor: 0.1 })
  const rates = [3.99, 4, 7, 8].map((epoch) => rateAt(step, epoch))
  rates.forEach((rate, i) => {
    expect(rate).toBeCloseTo([0.1, 0.01, 0.01, 0.001][i]!, 12)
  })
})

test('a cosine schedule starts at the rate, halves it in the middle and stays within an epoch', () => {
  const cosine = recipe({ kind: 'cosine', floor: 0 })
  expect(rateAt(cosine, 0.7)).toBe(0.1) // (1 + cos 0) / 2 = 1
  expect(rateAt(cosine, 5)).toBeCloseTo(0.05, 12) // (1 + cos(pi / 2)) / 2 = 1/2
})

test('a warm-up rises linearly from 0 over its epochs', () => {
  const warm = recipe({ kind: 'constant' }, { warmUpEpochs: 2 })
  expect([0, 0.5, 1, 2].map((epoch) => rateAt(warm, epoch))).toEqual([0, 0.025, 0.05, 0.1])
})
