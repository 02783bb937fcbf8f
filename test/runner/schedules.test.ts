/** Schedules of learning rates and of diffusion's noise, by arithmetic. */
import { expect, test } from 'vitest'
import { rateAt } from '../../runner/engine/training/schedules.ts'
import { alphaBarsOf } from '../../runner/tasks/generation/diffusion/schedule.ts'
import { stepsOf, timestepsOf } from '../../runner/tasks/generation/diffusion/steps.ts'
import { diffusion } from '../../schema/parts/diffusion.ts'
import { type Schedule, trainingRecipe } from '../../schema/parts/recipe.ts'

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

test('the cosine schedule of noise follows cos² and ends below its cap', () => {
  const bars = alphaBarsOf(diffusion.parse({ timesteps: 1000, schedule: { kind: 'cosine' } }))
  const level = (t: number) => Math.cos(((t / 1000 + 0.008) / 1.008) * (Math.PI / 2)) ** 2
  for (const t of [0, 250, 500, 900]) expect(bars[t]! / (level(t + 1) / level(0))).toBeCloseTo(1, 9)
  expect(bars[999]! / bars[998]!).toBeCloseTo(1 - 0.999, 9) // the last β would be 1
})

test('sampling visits evenly spaced timesteps, the last one first', () => {
  expect(timestepsOf(1000, 4)).toEqual([750, 500, 250, 0])
  expect(() => timestepsOf(10, 11)).toThrow('11 sampling steps were asked of a schedule with 10')
})

test('one DDPM step is that of DDIM with eta 1, but for a larger variance', () => {
  const some = diffusion.parse({ timesteps: 100 })
  const ddim = stepsOf(some, { kind: 'ddim', steps: 20, eta: 1 })
  const ddpm = stepsOf(some, { kind: 'ddpm', steps: 20 })
  ddpm.forEach(({ t, coefficients }, i) => {
    expect(ddim[i]!.t).toBe(t)
    for (const at of [0, 1, 2, 3]) expect(coefficients[at]).toBeCloseTo(ddim[i]!.coefficients[at]!, 9)
  })
  expect(ddpm[0]!.coefficients[4]).toBeGreaterThan(ddim[0]!.coefficients[4])
  expect(ddpm.at(-1)!.coefficients[4]).toBe(0) // nothing is added to the finished image
})

test('without noise a sampler that is told the true noise ends at the image', () => {
  const some = diffusion.parse({})
  const bars = alphaBarsOf(some)
  const [image, epsilon] = [0.3, -1.2]
  const steps = stepsOf(some, { kind: 'ddim', steps: 10, eta: 0 })
  const first = bars[steps[0]!.t]!
  let x = Math.sqrt(first) * image + Math.sqrt(1 - first) * epsilon
  for (const { coefficients } of steps) {
    const clean = coefficients[0] * x - coefficients[1] * epsilon
    x = coefficients[2] * clean + coefficients[3] * x
  }
  expect(x).toBeCloseTo(image, 9)
})
