/** Metrics of many models: values of NumPy, SciPy and scikit-learn, what is known of them by hand, and their floors. */
import { expect, test } from 'vitest'
import { scienceTasks } from '../../runner/science/catalogue/catalogue.ts'
import { isWithin, nullFloor, type PopulationMetric, tooFew } from '../../runner/science/population.ts'
import { quantile } from '../../runner/science/statistics.ts'
import { shuffleOf, streamFrom } from '../../runner/science/stream.ts'
import { EPSILON_CAP, epsilonOf } from '../../runner/science/tasks/classification/evidence/epsilon.ts'
import type { Evidence } from '../../runner/science/tasks/classification/evidence/evidence.ts'
import { binnedDivergence } from '../../runner/science/tasks/classification/evidence/histograms.ts'
import { type Shadow, shadowOf } from '../../runner/science/tasks/classification/evidence/shadow.ts'
import { floatsOf, goldenJson } from './golden.ts'

type Sets<Value> = Record<'forget' | 'retain' | 'test', Value>
const golden = goldenJson('population/population.json')
const metrics = new Map(
  Object.entries(scienceTasks.get('classification')!.population!.metrics as Record<string, PopulationMetric<Shadow>>),
)
const klom = metrics.get('klom')!
const CEILING = Math.log(1e5)

function modelsOf(side: 'unlearned' | 'retrained'): Shadow[] {
  const packed = golden.margins[side] as Sets<string>
  const margins = Object.entries(packed).map(([set, text]) => [set, Float64Array.from(floatsOf(text))] as const)
  return Array.from({ length: golden.models }, (_, model) => ({
    accuracy: golden.accuracy[side],
    margins: Object.fromEntries(
      margins.map(([set, all]) => {
        const count = all.length / golden.models
        return [set, all.slice(model * count, (model + 1) * count)]
      }),
    ) as unknown as Sets<Float64Array>,
  }))
}
const [unlearned, retrained] = [modelsOf('unlearned'), modelsOf('retrained')]

const random = streamFrom(new Uint8Array(32).fill(7))
const normals = (count: number) => Float64Array.from({ length: count }, () => random.normal())
/** Models whose margins are all drawn from one law, shifted. */
const drawn = (count: number, examples: number, shift = 0): Shadow[] =>
  Array.from({ length: count }, () => {
    const margins = { forget: normals(examples), retain: normals(examples), test: normals(examples) }
    return {
      margins: { ...margins, forget: margins.forget.map((x) => x + shift) },
      accuracy: { forget: 1, retain: 1, test: 1 },
    }
  })

test('every metric of many models has values of other software', () => {
  expect(Object.keys(golden.expected).sort()).toEqual([...metrics.keys()].sort())
})

test.each([...metrics])('%s is that of NumPy, SciPy and scikit-learn', (id, metric) => {
  const found = metric.compute({ unlearned, retrained })
  expect(Object.keys(found)).toEqual(Object.keys(metric.parts))
  for (const [part, value] of Object.entries(found))
    expect(value, part).toBeCloseTo(golden.expected[id][part] as number, 9)
})

test('ε of each example is that of all rules of the grids', () => {
  const of = (models: Shadow[], example: number) => Float64Array.from(models, (each) => each.margins.forget[example]!)
  for (const [example, epsilon] of (golden.epsilons as number[]).entries())
    expect(epsilonOf(of(unlearned, example), of(retrained, example)), `${example}`).toBeCloseTo(epsilon, 9)
})

test('ε is the cap where nothing overlaps or one side hardly varies, and 0 between equal constants', () => {
  expect(epsilonOf(Float64Array.of(1, 2, 3), Float64Array.of(11, 12, 13))).toBe(EPSILON_CAP)
  expect(epsilonOf(Float64Array.of(1, 1.001, 1.002), Float64Array.of(0, 1, 2))).toBe(EPSILON_CAP)
  expect(epsilonOf(Float64Array.of(1, 1), Float64Array.of(1, 1))).toBe(0)
  expect(epsilonOf(Float64Array.of(1, 1), Float64Array.of(2, 2))).toBe(EPSILON_CAP)
})

test('KLOM of models that share nothing is its ceiling, and of the same models 0', () => {
  const near = (place: number) => normals(100).map((x) => place + x / 100)
  expect(binnedDivergence(near(50), near(-50))).toBeCloseTo(CEILING, 9)
  expect(klom.compute({ unlearned: retrained, retrained })).toEqual({ forget: 0, retain: 0, test: 0 })
  expect(binnedDivergence(Float64Array.of(2, 2), Float64Array.of(2, 2))).toBe(0)
})

test('the largest margin is in the last bin, or in none', () => {
  // Bins of 0.05 from 0 to 1. Closed: p is half in the first and half in the last bin, q all in the first: ½ ln ½ + ½ ln(½ / 1e-5).
  const [p, q] = [Float64Array.of(0, 1), Float64Array.of(0, 0)]
  expect(binnedDivergence(p, q)).toBeCloseTo(0.5 * Math.log(0.5) + 0.5 * Math.log(0.5e5), 12)
  expect(binnedDivergence(p, q, { closed: false })).toBe(0)
})

// Median and 95th percentile between equal normal models, 2,000 draws each: what a board of few seeds would call forgetting.
test.each([
  [3, 10.41, 10.88],
  [5, 7.92, 10.18],
  [10, 5.67, 8.0],
  [20, 3.0, 5.0],
  [50, 0.8, 1.7],
  [100, 0.31, 0.7],
  [200, 0.14, 0.29],
])('KLOM between %i equal models a side is about %f, and %f at the 95th percentile', (n, middle, high) => {
  const found = Array.from({ length: 2000 }, () => binnedDivergence(normals(n), normals(n)))
  expect(quantile(found, 0.5) / middle).toBeGreaterThan(0.9)
  expect(quantile(found, 0.5) / middle).toBeLessThan(1.1)
  expect(quantile(found, 0.95) / high).toBeGreaterThan(0.88)
  expect(quantile(found, 0.95) / high).toBeLessThan(1.12)
})

test.each(['u-lira', 'ruli', 'ruli-scott'])('%s guesses between equal models, whatever their number', (id) => {
  for (const n of [8, 24]) {
    const found = metrics.get(id)!.compute({ unlearned: drawn(n, 400), retrained: drawn(n, 400) })
    expect(found.accuracy, `${n}`).toBeGreaterThan(47)
    expect(found.accuracy, `${n}`).toBeLessThan(53)
    expect(found.tpr, `${n}`).toBeLessThan(2.5)
  }
  const apart = metrics.get(id)!.compute({ unlearned: drawn(24, 400, 3), retrained: drawn(24, 400) })
  // Two normal laws three standard deviations apart: Φ(1.5) = 93.3% at best.
  expect(apart.accuracy).toBeGreaterThan(90)
  expect(apart.accuracy).toBeLessThan(94)
})

test('a floor is over disjoint halves, and the halves of few models are not alike', () => {
  const shuffle = shuffleOf(streamFrom(new Uint8Array(32).fill(3)))
  const models = drawn(40, 60)
  const { n, parts } = nullFloor(klom, models, { n: 20, draws: 5, shuffle })
  expect(n).toBe(20)
  expect(parts.forget!.low).toBeGreaterThan(3)
  expect(parts.forget!.low).toBeLessThan(parts.forget!.mean)
  expect(parts.forget!.high).toBeGreaterThan(parts.forget!.mean)
  expect(() => nullFloor(klom, models, { n: 21, draws: 5, shuffle })).toThrow(
    'the floor of klom/p95@1 at 21 models a side takes 42 retrained models, got 40',
  )
})

test('a number is within the floor where it is no further from the ideal, on whichever side', () => {
  const floor = {
    n: 64,
    draws: 20,
    parts: { klom: { mean: 1.2, low: 1.1, high: 1.3 }, auc: { mean: 50, low: 49, high: 50.5 } },
  }
  expect([1, 1.2, 1.3, 1.4].map((value) => isWithin(floor, 'klom', { value, ideal: 0 }))).toEqual([
    true,
    true,
    true,
    false,
  ])
  expect([48.9, 49, 51, 51.1].map((value) => isWithin(floor, 'auc', { value, ideal: 50 }))).toEqual([
    false,
    true,
    true,
    false,
  ])
})

test('rows of too few models get a sentence, not a number', () => {
  expect(tooFew(klom, 63)).toBe(
    'KLOM takes at least 64 models a side, got 63: with fewer it finds equal models different',
  )
  expect(tooFew(klom, 64)).toBeNull()
})

test('models of other examples are refused', () => {
  const others = drawn(16, 3)
  expect(() => klom.compute({ unlearned, retrained: others })).toThrow(
    'the forget set: expected the examples of the retrained models, 3 of them, got 24',
  )
  expect(() => metrics.get('u-lira')!.compute({ unlearned: [...unlearned, ...others], retrained })).toThrow(
    'the forget set: expected the same 24 examples of every model, got 3 of one',
  )
})

test('what is looked at of evidence is the margin of every example, without those of a forgotten class', () => {
  const set = (leads: number[], labels: number[]) => ({
    logits: Float32Array.from(leads.flatMap((lead) => [lead, 0])),
    labels: Uint8Array.from(labels),
  })
  const evidence: Evidence = {
    classes: 2,
    forgottenClass: 1,
    forget: set([2, 3], [1, 1]),
    retain: set([4], [0]),
    test: set([5, 6], [0, 1]),
  }
  expect(shadowOf(evidence)).toEqual({
    margins: { forget: Float64Array.of(-2, -3), retain: Float64Array.of(4), test: Float64Array.of(5) },
    accuracy: { forget: 0, retain: 1, test: 1 },
  })
  expect(scienceTasks.get('classification')!.population!.look(evidence)).toEqual(shadowOf(evidence))
})
