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
const expected = goldenJson('methods/generation.json') as Partial<Pick<Followed, 'trace' | 'importances'>>[]

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
    const { trace = [], importances = [] } = expected[i]!
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
  },
)
