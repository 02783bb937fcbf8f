/** Metrics of classifiers on made-up answers: values worked out by hand, and those of PyTorch and scikit-learn. */
import { describe, expect, test } from 'vitest'
import { svcWith } from '../../runner/engine/svc.ts'
import { metricNamed } from '../../runner/science/catalogue/catalogue.ts'
import { type FitSvc, MetricError, type MetricTools } from '../../runner/science/metric.ts'
import type { Answers, Evidence } from '../../runner/science/tasks/classification/evidence/evidence.ts'
import * as metrics from '../../runner/science/tasks/classification/metrics/index.ts'
import { defineBenchmark } from '../../schema/benchmark.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { goldenJson } from './golden.ts'
import { evidenceOf } from './golden-answers.ts'

const { ua, ra, ta, mia, 'mia-float32': miaFloat32 } = metrics

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

/** No metric of a classifier asks for anything else. */
const unasked = () => {
  throw new Error('asked for a tool that it does not need')
}
const toolsWith = (fitSvc: FitSvc): MetricTools => ({ fitSvc, multiply: unasked, shuffles: unasked })

test('a benchmark that names no metrics has those of its aim, each of which there is', () => {
  const { metrics: _, aim: __, ...quickstart } = benchmarks.get('fashion-mnist-5k.small-cnn.random-10')!
  const papers = ['ua/accuracy@1', 'ra/accuracy@1', 'ta/accuracy@1', 'mia/svc-confidence@1']
  const beside = ['tow/accuracy@1', 'js-retrain/softmax@1']
  const namedOf = (more: object) => defineBenchmark({ ...quickstart, ...more }).metrics
  expect(namedOf({})).toEqual([...papers, 'auc/confidence@1', 'auc/entropy@1', ...beside])
  expect(namedOf({ request: { kind: 'class', label: 3 } })).toEqual([...papers, ...beside])
  expect(namedOf({ aim: 'unlearning' })).toEqual([...papers, ...beside])
  expect(namedOf({}).filter((named) => !metricNamed('classification', named))).toEqual([])
  expect(() => namedOf({ metrics: [] })).toThrow()
  const { metrics: ___, ...images } = benchmarks.get('fashion-mnist-5k-16.ddpm-unet.class-0')!
  expect(() => defineBenchmark(images)).toThrow('generation has no usual ones')
})

describe('metrics', () => {
  test.each(Object.entries(metrics))('%s has an identity that names it and its version', (id, metric) => {
    // `mia-float32` is another way to compute `mia`.
    expect(metric.named).toMatch(new RegExp(`^(${id}|${id.split('-')[0]})/[a-z0-9-]+@${metric.version}$`))
  })

  test('no two metrics have one identity', () => {
    const named = Object.values(metrics).map((metric) => metric.named)
    expect(new Set(named).size).toBe(named.length)
  })

  test('UA is the share of wrong answers on the forget set', async () => {
    expect(await ua.compute(toy, toolsWith(fitSvc))).toBe(40) // 2 wrong of 5
  })

  test('RA is the share of right answers on the retain set', async () => {
    expect(await ra.compute(toy, toolsWith(fitSvc))).toBe(75) // 3 right of 4
  })

  test('TA is the share of right answers on the test set', async () => {
    expect(await ta.compute(toy, toolsWith(fitSvc))).toBeCloseTo(200 / 3, 12) // 2 right of 3
  })

  test('TA leaves out the forgotten class', async () => {
    expect(await ta.compute({ ...toy, forgottenClass: 0 }, toolsWith(fitSvc))).toBe(50) // of class 1: wrong, right
  })

  test('of equal logits the first counts as the answer', async () => {
    const forget = answers([1, 1, 0], [1, 1, 1])
    expect(await ua.compute({ ...toy, forget }, toolsWith(fitSvc))).toBe(50) // class 0 both times: right, wrong
  })

  test('MIA is the share of the forget set taken for non-members', async () => {
    // Below a confidence of 0.5 are exactly the two examples whose true class has the smaller logit.
    expect(await mia.compute(toy, toolsWith(halfway))).toBe(40)
  })

  test('MIA fits on the first |test| retained examples and the test set, by the softmax of the true class', async () => {
    let given: Parameters<FitSvc>[0] | undefined
    const spy: FitSvc = (options) => {
      given = options
      return halfway(options)
    }
    await mia.compute(toy, toolsWith(spy))
    const sigmoid = (lead: number) => Math.fround(1 / (1 + Math.exp(-lead)))
    // leads of the true class: retain 1, 1, -1 (the fourth is left out), test 1, -1, 1
    expect([...given!.samples]).toEqual([1, 1, -1, 1, -1, 1].map(sigmoid))
    expect([...given!.labels]).toEqual([1, 1, 1, 0, 0, 0])
    expect(given).toMatchObject({ cost: 3, gamma: 1 })
  })

  test('MIA in float32 rounds each step of the softmax, and MIA only its end', async () => {
    const float32 = Math.fround
    const rows: [number, number, number][] = [
      [0.1, 1.7, 0],
      [2.3, -0.4, 1],
      [-1.1, 0.6, 1],
    ]
    const queriesOf = async (metric: typeof mia): Promise<number[]> => {
      let given: number[] = []
      const spy: FitSvc = (options) => {
        given = [...options.queries]
        return halfway(options)
      }
      await metric.compute({ ...toy, forget: answers(...rows) }, toolsWith(spy))
      return given
    }
    const stepwise = rows.map(([a, b, label]) => {
      const [x, y] = [float32(a), float32(b)]
      const top = Math.max(x, y)
      const [p, q] = [float32(Math.exp(float32(x - top))), float32(Math.exp(float32(y - top)))]
      return float32([p, q][label]! / float32(float32(0 + p) + q))
    })
    const once = rows.map(([a, b, label]) => {
      const [x, y] = [float32(a), float32(b)]
      const top = Math.max(x, y)
      return float32(Math.exp([x, y][label]! - top) / (Math.exp(x - top) + Math.exp(y - top)))
    })
    expect(await queriesOf(miaFloat32)).toEqual(stepwise)
    expect(await queriesOf(mia)).toEqual(once)
    expect(stepwise).not.toEqual(once)
  })

  test('large logits neither overflow nor become NaN', async () => {
    const forget = answers([1e38, 0, 0], [1e38, 0, 1])
    expect(await mia.compute({ ...toy, forget }, toolsWith(halfway))).toBe(50) // confidences 1 and 0
  })

  test.each(['random', 'class', 'small-retain'])('they agree with PyTorch and scikit-learn on %s', async (name) => {
    const golden = goldenJson(`metrics/${name}.json`)
    const evidence = evidenceOf(golden)
    for (const [id, metric] of Object.entries({ ua, ra, ta, mia })) {
      expect(await metric.compute(evidence, toolsWith(fitSvc)), id).toBeCloseTo(golden.expected[id], 10)
    }
    // PyTorch takes the softmax in float32.
    expect(await miaFloat32.compute(evidence, toolsWith(fitSvc))).toBeCloseTo(golden.expected.mia, 10)
  })

  test('an empty set is an error that names it', () => {
    const forget = answers()
    expect(() => ua.compute({ ...toy, forget }, toolsWith(fitSvc))).toThrow(
      new MetricError('the forget set: expected at least one example, got none'),
    )
  })

  test('a test set of nothing but the forgotten class is an error', () => {
    expect(() => ta.compute({ ...toy, test: answers([1, 0, 0]), forgottenClass: 0 }, toolsWith(fitSvc))).toThrow(
      'the test set: expected at least one example, got none',
    )
  })

  test('a logit that is not finite is an error, not a wrong answer', () => {
    const retain = answers([1, 0, 0], [Number.NaN, 0, 0])
    expect(() => ra.compute({ ...toy, retain }, toolsWith(fitSvc))).toThrow(
      'the retain set: expected finite logits, got NaN (example 1); the weights diverged',
    )
  })

  test('logits and labels of different lengths are an error', () => {
    const retain = { logits: new Float32Array(3), labels: new Uint8Array(2) }
    expect(() => ra.compute({ ...toy, retain }, toolsWith(fitSvc))).toThrow('expected 2 x 2 logits, got 3')
  })

  test('a label that is no class is an error', () => {
    const retain = answers([1, 0, 2])
    expect(() => ra.compute({ ...toy, retain }, toolsWith(fitSvc))).toThrow(
      'expected labels below 2, got 2 (example 0)',
    )
  })
  test('a forgotten class that is none of the classes is an error', () => {
    expect(() => ta.compute({ ...toy, forgottenClass: 99 }, toolsWith(fitSvc))).toThrow(
      new MetricError('expected a forgotten class below 2, got 99'),
    )
  })

  test('MIA warns where the retain set is smaller than the test set', () => {
    expect(mia.warning?.(toy)).toBeNull() // 4 retained, 3 test examples
    expect(mia.warning?.({ ...toy, retain: answers([2, 1, 0]) })).toBe(
      'the retain set has 1 examples and the test set 3: the SVC is fitted on classes of unequal size',
    )
  })
  test('probabilities in place of logits are an error, and a single row that looks like one is none', async () => {
    // 0.9 + 0.1 and 0.3 + 0.7005, within 1e-3 of 1
    const forget = answers([0.9, 0.1, 0], [0.3, 0.7005, 1])
    for (const metric of [ua, mia]) {
      await expect(async () => metric.compute({ ...toy, forget }, toolsWith(halfway))).rejects.toThrow(
        /^the forget set: these are probabilities; expected logits/,
      )
    }
    // rows that sum to 1.002, or to 1 with a negative entry, are logits
    for (const other of [0.702, 0.698]) {
      const mixed = answers([0.9, 0.1, 0], [0.3, other, 1])
      expect(await ua.compute({ ...toy, forget: mixed }, toolsWith(halfway))).toBe(0)
    }
    expect(await ua.compute({ ...toy, forget: answers([2, -1, 0]) }, toolsWith(halfway))).toBe(0)
  })
})
