/** Methods take the steps that PyTorch takes (test/golden/methods/make.py). */
import { expect, test } from 'vitest'
import { goldenJson } from '../runner/golden.ts'
import {
  type Followed,
  followClassifier,
  furthest,
  goldenParameters,
  goldenStart,
  eight as split,
} from '../support/golden-classifier.ts'

interface Case extends Partial<Followed> {
  params: Record<string, unknown>
}
const casesOf = (id: string) => (goldenJson(`methods/${id}.json`) as Case[]).map((one, i) => [id, i, one] as const)

test.each(['neggrad-plus', 'scrub'].flatMap(casesOf))(
  '%s, case %d: losses, weights and running statistics after each run',
  async (id, _, { params, trace: expected = [] }) => {
    const { trace } = await followClassifier(id, params, { split })
    expect(trace.length).toBe(expected.length)
    let before = goldenStart
    for (const [i, { loss, state }] of expected.entries()) {
      // A step changes what is held against it by far more than the bound.
      expect(furthest(before, state)).toBeGreaterThan(1e-2)
      expect(furthest(trace[i]!.state, state)).toBeLessThan(1e-5)
      expect(Math.abs(trace[i]!.loss / loss - 1)).toBeLessThan(1e-5)
      before = state
    }
  },
)

test.each(casesOf('ssd'))('%s, case %d: importances and weights', async (id, _, { params, importances, state }) => {
  const seen = await followClassifier(id, params, { split })
  expect(seen.importances.length).toBe(2)
  for (const [i, expected] of importances!.entries()) {
    expect(furthest(seen.importances[i]!, expected, goldenParameters)).toBeLessThan(1e-5)
  }
  expect(furthest(goldenStart, state!)).toBeGreaterThan(1e-2)
  expect(furthest(seen.state, state!)).toBeLessThan(1e-5)
})
