/** Metrics of classifiers on made-up answers: values worked out by hand, and those of PyTorch and scikit-learn. */
import { describe, expect, test } from 'vitest'
import { svcWith } from '../../runner/engine/svc.ts'
import { type Answers, type Evidence, type FitSvc, MetricError } from '../../runner/science/metric.ts'
import * as metrics from '../../runner/science/tasks/classification/metrics/index.ts'
import { digitsOf, floatsOf, goldenJson } from './golden.ts'

const { ua, ra, ta, mia } = metrics

/** Answers of two-class examples: [logit of class 0, logit of class 1, label] each. */
const answers = (...rows: [number, number, number][]): Answers => ({
  logits: Float32Array.from(rows.flatMap((row) => row.slice(0, 2))),
  labels: Uint8Array.from(rows, ([, , label]) => label),
})

const toy: Evidence = {
  classes: 2,
  forgottenClass: null,
  forget: answers([2, 1, 0], [0, 1, 0], [3, 1, 1], [0, 4, 1], [5, 0, 0]), // right, wrong, wrong, right, right
  retain: answers([2, 1, 0], [0, 1, 1], [1, 2, 0], [1, 0, 0]), // right, right, wrong, right
  test: answers([2, 1, 0], [2, 1, 1], [0, 1, 1]), // right, wrong, right
}

/** Takes everything below 0.5 for a non-member. */
const halfway: FitSvc = async ({ queries }) => Uint8Array.from(queries, (query) => (query < 0.5 ? 0 : 1))

const fitSvc = svcWith(() => {})

describe('metrics', () => {
  test.each(Object.entries(metrics))('%s has an identity that names it and its version', (id, metric) => {
    expect(metric.identity).toMatch(new RegExp(`^${id}/[a-z0-9-]+@${metric.version}$`))
  })

  test('UA is the share of wrong answers on the forget set', async () => {
    expect(await ua.compute(toy, { fitSvc })).toBe(40) // 2 wrong of 5
  })

  test('RA is the share of right answers on the retain set', async () => {
    expect(await ra.compute(toy, { fitSvc })).toBe(75) // 3 right of 4
  })

  test('TA is the share of right answers on the test set', async () => {
    expect(await ta.compute(toy, { fitSvc })).toBeCloseTo(200 / 3, 12) // 2 right of 3
  })

  test('TA leaves out the forgotten class', async () => {
    expect(await ta.compute({ ...toy, forgottenClass: 0 }, { fitSvc })).toBe(50) // of class 1: wrong, right
  })

  test('of equal logits the first counts as the answer', async () => {
    const forget = answers([1, 1, 0], [1, 1, 1])
    expect(await ua.compute({ ...toy, forget }, { fitSvc })).toBe(50) // class 0 both times: right, wrong
  })

  test('MIA is the share of the forget set taken for non-members', async () => {
    // Below a confidence of 0.5 are exactly the two examples whose true class has the smaller logit.
    expect(await mia.compute(toy, { fitSvc: halfway })).toBe(40)
  })

  test('MIA fits on the first |test| retained examples and the test set, by the softmax of the true class', async () => {
    let given: Parameters<FitSvc>[0] | undefined
    const spy: FitSvc = (options) => {
      given = options
      return halfway(options)
    }
    await mia.compute(toy, { fitSvc: spy })
    const sigmoid = (lead: number) => Math.fround(1 / (1 + Math.exp(-lead)))
    // leads of the true class: retain 1, 1, -1 (the fourth is left out), test 1, -1, 1
    expect([...given!.samples]).toEqual([1, 1, -1, 1, -1, 1].map(sigmoid))
    expect([...given!.labels]).toEqual([1, 1, 1, 0, 0, 0])
    expect(given).toMatchObject({ cost: 3, gamma: 1 })
  })

  test('large logits neither overflow nor become NaN', async () => {
    const forget = answers([1e38, 0, 0], [1e38, 0, 1])
    expect(await mia.compute({ ...toy, forget }, { fitSvc: halfway })).toBe(50) // confidences 1 and 0
  })

  test.each(['random', 'class', 'small-retain'])('all four agree with PyTorch and scikit-learn on %s', async (name) => {
    const golden = goldenJson(`metrics/${name}.json`)
    const set = ({ logits, labels }: { logits: string; labels: string }): Answers => ({
      logits: floatsOf(logits),
      labels: digitsOf(labels),
    })
    const evidence: Evidence = {
      classes: golden.classes,
      forgottenClass: golden.forgottenClass,
      forget: set(golden.forget),
      retain: set(golden.retain),
      test: set(golden.test),
    }
    for (const [id, metric] of Object.entries(metrics)) {
      expect(await metric.compute(evidence, { fitSvc }), id).toBeCloseTo(golden.expected[id], 10)
    }
  })

  test('an empty set is an error that names it', () => {
    const forget = answers()
    expect(() => ua.compute({ ...toy, forget }, { fitSvc })).toThrow(
      new MetricError('the forget set: expected at least one example, got none'),
    )
  })

  test('a test set of nothing but the forgotten class is an error', () => {
    expect(() => ta.compute({ ...toy, test: answers([1, 0, 0]), forgottenClass: 0 }, { fitSvc })).toThrow(
      'the test set: expected at least one example, got none',
    )
  })

  test('a logit that is not finite is an error, not a wrong answer', () => {
    const retain = answers([1, 0, 0], [Number.NaN, 0, 0])
    expect(() => ra.compute({ ...toy, retain }, { fitSvc })).toThrow(
      'the retain set: expected finite logits, got NaN (example 1); the weights diverged',
    )
  })

  test('logits and labels of different lengths are an error', () => {
    const retain = { logits: new Float32Array(3), labels: new Uint8Array(2) }
    expect(() => ra.compute({ ...toy, retain }, { fitSvc })).toThrow('expected 2 x 2 logits, got 3')
  })

  test('a label that is no class is an error', () => {
    const retain = answers([1, 0, 2])
    expect(() => ra.compute({ ...toy, retain }, { fitSvc })).toThrow('expected labels below 2, got 2 (example 0)')
  })
})

describe('the SVC', () => {
  test.each(['overfitted', 'separated', 'overlapping'])('decides like scikit-learn on %s confidences', async (name) => {
    const golden = goldenJson(`svc/${name}.json`)
    const samples = Float64Array.from(floatsOf(golden.samples))
    const queries = Float64Array.from(floatsOf(golden.queries))
    const labels = new Uint8Array(samples.length).fill(1, 0, golden.members)
    const decisions = await fitSvc({ samples, labels, cost: 3, gamma: 1, queries })
    const same = decisions.filter((decision, index) => decision === Number(golden.decisions[index])).length
    expect(same / queries.length).toBeGreaterThanOrEqual(0.999)
  })

  test('leaves the process to handle its own unhandled rejections', async () => {
    const before = process.listeners('unhandledRejection')
    const queries = Float64Array.of(0.9)
    await fitSvc({ samples: Float64Array.of(0.1, 0.9), labels: Uint8Array.of(0, 1), cost: 3, gamma: 1, queries })
    expect(process.listeners('unhandledRejection')).toEqual(before)
  })

  test('says what it does: fits, then answers', async () => {
    const seen: string[] = []
    const train = svcWith(({ phase, done, total, unit }) => seen.push(`${phase} ${done}/${total} ${unit}`))
    const samples = Float64Array.from({ length: 40 }, (_, index) => index / 40)
    const labels = Uint8Array.from(samples, (value) => Number(value > 0.5))
    await train({ samples, labels, cost: 3, gamma: 1, queries: new Float64Array(600).fill(0.9) })
    expect(seen).toEqual([
      'fitting the SVC 0/40 samples',
      'asking the SVC 0/600 examples',
      'asking the SVC 250/600 examples',
      'asking the SVC 500/600 examples',
    ])
  })

  test('leaves the event loop free while it works', async () => {
    const samples = Float64Array.from({ length: 4000 }, (_, index) => ((index * 7919) % 4001) / 4001)
    const labels = Uint8Array.from(samples, (_, index) => index % 2)
    let ticks = 0
    const timer = setInterval(() => ticks++, 5)
    await fitSvc({ samples, labels, cost: 3, gamma: 1, queries: Float64Array.of(0.5) })
    clearInterval(timer)
    expect(ticks).toBeGreaterThan(3)
  })
})
