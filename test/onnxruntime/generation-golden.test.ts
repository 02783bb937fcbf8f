/** Methods of image generation take the steps that PyTorch takes (test/golden/methods/make_generation.py). */
import { expect, test } from 'vitest'
import { sizeOf } from '../../runner/engine/onnx/tensor.ts'
import { goldenJson } from '../runner/golden.ts'
import {
  type Draw,
  type Followed,
  followGeneration,
  goldenParameters,
  goldenStart,
} from '../support/golden-denoiser.ts'

const cases = goldenJson('methods/generation-draws.json') as {
  method: string
  params: Record<string, unknown>
  draws: Draw[][][]
}[]
const expected = goldenJson('methods/generation.json') as (Pick<Followed, 'trace' | 'final'> & Partial<Followed>)[]

/** The largest |found − expected| / |expected| of a parameter. */
function error(found: readonly number[], wanted: readonly number[]): number {
  expect(found.length).toBe(wanted.length)
  let offset = 0
  const errors = goldenParameters.map(({ shape }) => {
    const part = wanted.slice(offset, offset + sizeOf(shape))
    const difference = part.map((value, i) => found[offset + i]! - value)
    offset += part.length
    return Math.hypot(...difference) / Math.hypot(...part)
  })
  return Math.max(...errors)
}
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)
const withoutLatents = (draws: Draw[][][]) =>
  draws.map((run) => run.map((term) => term.map(({ latents, ...rest }) => rest)))

test.each(cases.map(({ method, params }, i) => [method, JSON.stringify(params), i] as const))(
  '%s with %s',
  async (method, _, i) => {
    const found = await followGeneration(method, cases[i]!.params)
    expect(withoutLatents(found.draws), 'other draws: write both files of golden/methods again').toEqual(
      withoutLatents(cases[i]!.draws),
    )
    const { trace, final, importances = [] } = expected[i]!
    expect(found.importances.length).toBe(importances.length)
    for (const [at, wanted] of importances.entries()) {
      expect(error(found.importances[at]!, wanted)).toBeLessThan(1e-5)
      expect(Math.abs(sum(found.importances[at]!) / sum(wanted) - 1)).toBeLessThan(1e-5)
    }
    expect(found.trace.length).toBe(trace.length)
    let before = goldenStart
    for (const [at, { loss, state }] of trace.entries()) {
      // A run changes what is held against it by far more than the bound.
      expect(error(before, state)).toBeGreaterThan(1e-2)
      expect(error(found.trace[at]!.state, state)).toBeLessThan(1e-5)
      expect(Math.abs(found.trace[at]!.loss / loss - 1)).toBeLessThan(1e-5)
      before = state
    }
    expect(error(found.final, final)).toBeLessThan(1e-5)
  },
)

test.each([4, 3])(
  'esd draws x_t at every step of %i asked of 8 timesteps, and the noise itself at the noisiest',
  async (latentSteps) => {
    const drawn = async (latents: 'sampled' | 'original') => {
      const params = { steps: 40, batchSize: 2, learningRate: 0.1, latentSteps, latents }
      return (await followGeneration('esd', params)).draws[0]![0]!
    }
    const [moving, frozen] = [await drawn('sampled'), await drawn('original')]
    // Every other timestep: 3 steps of 8 timesteps are taken in fours, as by the reference sampler.
    expect(new Set(moving.flatMap(({ t }) => t))).toEqual(new Set([0, 2, 4, 6]))
    for (const [step, { t, latents }] of moving.entries()) {
      expect(frozen[step]!.t).toEqual(t)
      if (step === 0) continue
      // What the network has no part in is the same for both.
      if (t[0] === 6) expect(frozen[step]!.latents).toEqual(latents)
      else expect(frozen[step]!.latents).not.toEqual(latents)
    }
  },
)

test('the Fisher information of single timesteps is far smaller than that of their sum', async () => {
  const about = { batchSize: 4, steps: 1, perClass: 20, sampleSteps: 4, fisherDropCondition: 0 }
  const size = async (fisher: string) => {
    const { importances } = await followGeneration('selective-amnesia', { ...about, fisher })
    return sum(importances[0]!)
  }
  const ratio = (await size('summed')) / (await size('drawn'))
  // By Cauchy and Schwarz at most T² = 64.
  expect(ratio).toBeGreaterThan(8)
  expect(ratio).toBeLessThan(70)
})

test('with the Fisher information of the released code its λ of 10 holds weights back', async () => {
  const moved = async (given: Record<string, unknown>) => {
    const about = { batchSize: 8, steps: 60, learningRate: 0.01, perClass: 10, sampleSteps: 4, average: null }
    const { final } = await followGeneration('selective-amnesia', { ...about, ...given })
    return Math.hypot(...final.map((value, i) => value - goldenStart[i]!))
  }
  // The factor between the two is at most 64 here, with 8 timesteps, and a million with 1,000.
  const [free, drawn, summed] = [await moved({ elastic: 0 }), await moved({ fisher: 'drawn' }), await moved({})]
  expect(summed).toBeLessThan(free / 3)
  expect(summed).toBeLessThan(0.9 * drawn)
})
