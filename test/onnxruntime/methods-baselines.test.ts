/** The known baselines take the steps that PyTorch takes, or come to what their formula says (test/golden/methods/baselines.py). */
import { expect, test } from 'vitest'
import { goldenJson } from '../runner/golden.ts'
import { eight, followClassifier, furthest, goldenStart, type Split } from '../support/golden-classifier.ts'

interface Case {
  params: Record<string, unknown>
  split?: Split
  trace?: { loss: number; state: number[] }[]
  state?: number[]
}

const files = {
  ...{ iu: 'iu', 'boundary-shrink': 'boundary-shrink', 'boundary-expand': 'boundary-expand' },
  ...{ 'cf-k': 'cf-k', 'eu-k': 'eu-k', 'bad-teaching': 'bad-teaching', amnesiac: 'amnesiac', ct: 'ct', msg: 'msg' },
  ...{ scissorhands: 'scissorhands', fisher: 'fisher', unsir: 'unsir', 'scrub-rewind': 'scrub' },
}
const cases = Object.entries(files).flatMap(([file, id]) =>
  (goldenJson(`methods/${file}.json`) as Case[]).map((one, i) => [file, i, id, one] as const),
)

test.each(cases)('%s, case %d: losses, weights and running statistics after each run', async (_, __, id, one) => {
  const { params, split = eight, trace: expected = [], state: last } = one
  const { trace, state } = await followClassifier(id, params, { split, known: true })
  expect(trace.length).toBe(expected.length)
  let before = goldenStart
  for (const [i, { loss, state }] of expected.entries()) {
    // A step changes what is held against it by far more than the bound, but for one that learns noise for a model at rest.
    if (id !== 'unsir' || i > 0) expect(furthest(before, state)).toBeGreaterThan(1e-2)
    expect(furthest(trace[i]!.state, state)).toBeLessThan(1e-5)
    expect(Math.abs(trace[i]!.loss / loss - 1)).toBeLessThan(1e-5)
    before = state
  }
  if (!last) return
  expect(furthest(goldenStart, last)).toBeGreaterThan(1e-2)
  expect(furthest(state, last)).toBeLessThan(1e-5)
})
