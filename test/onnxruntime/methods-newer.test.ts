/** Methods that claim to beat SalUn take the steps that PyTorch takes (test/golden/methods/make_newer.py). */
import { expect, test } from 'vitest'
import { goldenJson } from '../runner/golden.ts'
import { type Followed, followClassifier, furthest, goldenStart } from '../support/golden-classifier.ts'

interface Case extends Partial<Followed> {
  params: Record<string, unknown>
}
const casesOf = (id: string) => (goldenJson(`methods/${id}.json`) as Case[]).map((one, i) => [id, i, one] as const)

test.each(['delete', 'munba', 'sfr-on', 'lotus', 'amun'].flatMap(casesOf))(
  '%s, case %d: losses, weights and running statistics after each run',
  async (id, _, { params, trace: expected = [] }) => {
    const { trace } = await followClassifier(id, params)
    // A run of several passes is one entry: what its last pass came to.
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

test.each(casesOf('negmerge'))('%s, case %d: weights', async (id, _, { params, state: expected = [] }) => {
  const { state } = await followClassifier(id, params)
  expect(furthest(goldenStart, expected)).toBeGreaterThan(1e-2)
  expect(furthest(state, expected)).toBeLessThan(1e-5)
})
