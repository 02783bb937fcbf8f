/** Suites: their benchmarks differ in the class that is forgotten and in nothing else. */
import { expect, test } from 'vitest'
import { benchmarks, suites, suiteWith } from '../../schema/catalogue/catalogue.ts'
import { definitionOf, planRun } from '../../schema/plan.ts'

const retrain = { id: 'retrain', version: 1, trainsOn: 'retain' } as const
const original = { id: 'original', version: 1, trainsOn: 'all' } as const

test.each([...suites])('%s has one benchmark a class, each of a definition of its own', async (slug, suite) => {
  expect(suite.slug).toBe(slug)
  const family = slug.replace(/\.class-wise$/, '')
  expect(suite.benchmarks.map((benchmark) => [benchmark.slug, benchmark.request])).toEqual(
    Array.from({ length: 10 }, (_, label) => [`${family}.class-${label}`, { kind: 'class', label }]),
  )
  const definitions = await Promise.all(suite.benchmarks.map(definitionOf))
  expect(new Set(definitions).size).toBe(10)
  for (const benchmark of suite.benchmarks) {
    expect(benchmarks.get(benchmark.slug)).toBe(benchmark)
    expect(suiteWith(benchmark.slug)).toBe(suite)
    expect(suites.has(benchmark.slug)).toBe(false)
  }
})

test.each([...suites])(
  'the classes of %s share the original, its samples and the judge, and nothing else',
  async (_, suite) => {
    const plans = await Promise.all(suite.benchmarks.map((benchmark) => planRun(benchmark, original, {}, 0)))
    const shared = plans[0]!.map(({ spec }, position) => ({
      kind: spec.kind,
      keys: new Set(plans.map((stages) => stages[position]!.key)).size,
    }))
    for (const { kind, keys } of shared) expect({ kind, keys }).toEqual({ kind, keys: kind === 'evaluate' ? 10 : 1 })
    const retrained = await Promise.all(suite.benchmarks.map((benchmark) => planRun(benchmark, retrain, {}, 0)))
    expect(new Set(retrained.map(([train]) => train!.key)).size).toBe(10)
  },
)
