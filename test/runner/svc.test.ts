/** The SVC decides as scikit-learn's, whose steps it repeats bit by bit; test/golden/svc says how the references were made. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { svcWith } from '../../runner/engine/svc.ts'
import { type SvcProblem, trainSvc } from '../../runner/science/svc/svc.ts'
import { uniforms } from '../onnxruntime/uniform.ts'
import { digitsOf, floatsOf, goldenJson } from './golden.ts'

describe('the SVC decides like scikit-learn', () => {
  test.each(['overfitted', 'separated', 'overlapping'])('on %s confidences', (name) => {
    const golden = goldenJson(`svc/${name}.json`)
    const samples = Float64Array.from(floatsOf(golden.samples))
    const labels = new Uint8Array(samples.length).fill(1, 0, golden.members)
    const svc = trainSvc({ samples, labels, cost: 3, gamma: 1 })
    expect(svc.decide(Float64Array.from(floatsOf(golden.queries)))).toEqual(digitsOf(golden.decisions))
  })

  interface Recipe {
    count: number
    power: number
    spread?: number
    wrong?: number
    ones?: number
    levels?: number
    shift?: number
  }

  /** make_hard.py says what these are; products and sums alone, so that both round alike. */
  function confidences(
    stream: number,
    { count, power, spread = 1, wrong = 0, ones = 0, levels = 0, shift = 0 }: Recipe,
  ) {
    const kinds = uniforms(stream + 1, count)
    return Array.from(uniforms(stream, count), (u, index) => {
      let rest = spread
      for (let k = 0; k < power; k++) rest *= u
      const value = kinds[index]! < wrong ? u : kinds[index]! >= 1 - ones ? 1 : 1 - rest
      const level = levels ? Math.floor(value * levels) / levels : value
      return shift ? level + shift : Math.fround(level)
    })
  }

  test.each<{ name: string }>(goldenJson('svc/hard.json').cases)('and finds its alpha: $name', ({ name }) => {
    const golden = goldenJson('svc/hard.json').cases.find((found: { name: string }) => found.name === name)
    const members = confidences(golden.stream, golden.members)
    const made = [...members, ...confidences(golden.stream + 2, golden.others)]
    const keys = uniforms(golden.stream + 6, made.length)
    const order = [...made.keys()]
    if (golden.mixed) order.sort((a, b) => keys[a]! - keys[b]! || a - b)
    const svc = trainSvc({
      samples: Float64Array.from(order, (index) => made[index]!),
      labels: Uint8Array.from(order, (index) => Number(index < members.length)),
      cost: golden.cost,
      gamma: golden.gamma,
    })
    const queries = Float64Array.from(confidences(golden.stream + 4, golden.queries))
    expect(svc.decide(queries)).toEqual(digitsOf(golden.decisions))
    expect(svc).toMatchObject({ steps: golden.steps, rho: golden.rho })
    expect(createHash('sha256').update(svc.alpha).digest('hex')).toBe(golden.alphaSha256)
    golden.values.forEach((value: number, index: number) => {
      expect(svc.decisionFunction(queries.subarray(index, index + 1))).toBeCloseTo(value, 9)
    })
  })
})

/** Small problems: both classes, coarse features, so that some are equal. */
const problems = fc
  .record({
    points: fc.array(fc.record({ feature: fc.integer({ min: 0, max: 12 }), label: fc.integer({ min: 0, max: 1 }) }), {
      minLength: 2,
      maxLength: 8,
    }),
    cost: fc.constantFrom(0.1, 1, 3, 10),
    gamma: fc.constantFrom(0.1, 1, 8),
  })
  .filter(({ points }) => new Set(points.map(({ label }) => label)).size === 2)
  .map(({ points, cost, gamma }) => ({
    samples: Float64Array.from(points, ({ feature }) => feature / 12),
    labels: Uint8Array.from(points, ({ label }) => label),
    cost,
    gamma,
  }))

/** Q of the dual, dense and in double precision, and y. */
function denseOf({ samples, labels, gamma }: SvcProblem) {
  const y = Array.from(labels, (label) => (label === 0 ? 1 : -1))
  const q = y.map((a, t) => y.map((b, s) => a * b * Math.exp(-gamma * (samples[t]! - samples[s]!) ** 2)))
  return { y, q }
}

const times = (q: number[][], alpha: number[]) => q.map((row) => row.reduce((sum, x, s) => sum + x * alpha[s]!, 0))
const objectiveOf = (q: number[][], alpha: number[]) =>
  times(q, alpha).reduce((sum, x, t) => sum + (x / 2 - 1) * alpha[t]!, 0)

/** The dual by projected gradients: slow, dense, and nothing like SMO. */
function solveNaively(problem: SvcProblem): number[] {
  const { y, q } = denseOf(problem)
  /** The nearest point with 0 <= alpha <= C and y'alpha = 0, by bisection of the multiplier of y'alpha. */
  function project(point: number[]): number[] {
    let [low, high] = [-1e3, 1e3]
    const at = (shift: number) => point.map((x, t) => Math.min(problem.cost, Math.max(0, x - shift * y[t]!)))
    for (let k = 0; k < 60; k++) {
      const middle = (low + high) / 2
      if (at(middle).reduce((sum, x, t) => sum + x * y[t]!, 0) > 0) low = middle
      else high = middle
    }
    return at((low + high) / 2)
  }
  let alpha = y.map(() => 0)
  let ahead = alpha
  for (let k = 1; k <= 400; k++) {
    const gradient = times(q, ahead)
    const next = project(ahead.map((x, t) => x - (gradient[t]! - 1) / y.length))
    ahead = next.map((x, t) => x + ((k - 1) / (k + 2)) * (x - alpha[t]!))
    alpha = next
  }
  return alpha
}

describe('the dual problem', () => {
  test('is solved within the tolerance: the conditions of Karush, Kuhn and Tucker hold to 1e-3', () => {
    fc.assert(
      fc.property(problems, (problem) => {
        const alpha = [...trainSvc(problem).alpha]
        const { y, q } = denseOf(problem)
        const scores = times(q, alpha).map((x, t) => -y[t]! * (x - 1))
        expect(Math.min(...alpha)).toBeGreaterThanOrEqual(0)
        expect(Math.max(...alpha)).toBeLessThanOrEqual(problem.cost)
        expect(alpha.reduce((sum, x, t) => sum + x * y[t]!, 0)).toBeCloseTo(0, 9)
        const mayGrow = scores.filter((_, t) => (y[t]! > 0 ? alpha[t]! < problem.cost : alpha[t]! > 0))
        const mayShrink = scores.filter((_, t) => (y[t]! > 0 ? alpha[t]! > 0 : alpha[t]! < problem.cost))
        // The kernel in float32 moves a score by 8 C 2^-25 at most.
        expect(Math.max(...mayGrow) - Math.min(...mayShrink)).toBeLessThan(1e-3 + 1e-5)
      }),
      { numRuns: 300, seed: 1 },
    )
  })

  test('has no better solution by a naive dense solver', () => {
    fc.assert(
      fc.property(problems, (problem) => {
        const { q } = denseOf(problem)
        const ours = objectiveOf(q, [...trainSvc(problem).alpha])
        const naive = objectiveOf(q, solveNaively(problem))
        // f is convex: a violation of 1e-3 leaves at most 1e-3 of each unit of alpha that can still move, n C / 2 in all.
        expect(ours - naive).toBeLessThanOrEqual((1.1e-3 * problem.samples.length * problem.cost) / 2)
        expect(naive - ours).toBeLessThanOrEqual(1e-3)
      }),
      { numRuns: 100, seed: 2 },
    )
  })

  test('has the same solution, to the last bit, with a cache of five rows', () => {
    const random = uniforms(77, 800)
    const samples = Float64Array.from({ length: 400 }, (_, index) => random[index]!)
    const labels = Uint8Array.from(samples, (sample, index) => Number(random[400 + index]! < 0.3 + 0.4 * sample))
    const svc = trainSvc({ samples, labels, cost: 100, gamma: 20 })
    const frugal = trainSvc({ samples, labels, cost: 100, gamma: 20, cacheBytes: 0 })
    // Shrinking begins after 400 steps, and the gradient is then reconstructed from rows of the cache.
    expect(svc.steps).toBeGreaterThan(4000)
    expect(frugal.steps).toBe(svc.steps)
    expect(frugal.alpha).toEqual(svc.alpha)
  })
})

describe('what the SVC is asked', () => {
  const problem = { samples: Float64Array.of(0.1, 0.9), labels: Uint8Array.of(0, 1), cost: 3, gamma: 1 }

  test('a query between two samples that are alike but for their class is class 1, as in scikit-learn', () => {
    expect(trainSvc(problem).decide(Float64Array.of(0.49, 0.5, 0.51))).toEqual(Uint8Array.of(0, 1, 1))
  })

  test.each<[Partial<SvcProblem>, string]>([
    [{ labels: Uint8Array.of(1, 1) }, 'expected samples of two classes, got none of class 0'],
    [{ labels: Uint8Array.of(0, 2) }, 'expected labels 0 or 1, got 2 (sample 1)'],
    [{ labels: Uint8Array.of(0) }, 'expected a label for each of 2 samples, got 1'],
    [{ samples: Float64Array.of(0.1, Number.NaN) }, 'expected finite samples, got NaN (sample 1)'],
    [{ cost: 0 }, 'expected a cost above 0, got 0'],
    [{ gamma: Number.NaN }, 'expected a gamma above 0, got NaN'],
  ])('%o is an error', (change, message) => {
    expect(() => trainSvc({ ...problem, ...change })).toThrow(`the SVC: ${message}`)
  })
})

describe('the thread of the SVC', () => {
  const fitSvc = svcWith(() => {})
  const samples = Float64Array.from({ length: 4000 }, (_, index) => ((index * 7919) % 4001) / 4001)
  const labels = Uint8Array.from(samples, (_, index) => index % 2)

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
    let ticks = 0
    const timer = setInterval(() => ticks++, 5)
    await fitSvc({ samples, labels, cost: 3, gamma: 1, queries: Float64Array.of(0.5) })
    clearInterval(timer)
    expect(ticks).toBeGreaterThan(3)
  })

  test('passes an error on and serves the next request', async () => {
    const request = { samples, labels, cost: 3, gamma: 1, queries: Float64Array.of(0.5) }
    await expect(fitSvc({ ...request, cost: -1 })).rejects.toThrow('the SVC: expected a cost above 0, got -1')
    expect(await fitSvc(request)).toEqual(trainSvc(request).decide(request.queries))
  })

  test('answers requests that overlap, each its own', async () => {
    const requests = [0.1, 1, 10].map((gamma) => ({
      samples,
      labels,
      cost: 3,
      gamma,
      queries: samples.subarray(0, 40),
    }))
    const answers = await Promise.all(requests.map(fitSvc))
    expect(answers).toEqual(requests.map((request) => trainSvc(request).decide(request.queries)))
  })
})
