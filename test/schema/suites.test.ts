import { expect, test } from 'vitest'
import { benchmarks, suites, suiteWith } from '../../schema/catalogue.ts'
import { definitionOf, planRun } from '../../schema/plan.ts'

const retrain = { id: 'retrain', version: 1, trainsOn: 'retain' } as const
const original = { id: 'original', version: 1, trainsOn: 'all' } as const

/** Definition, training of retrain with seed 0, and its evaluation, as they were before there were suites. */
const before: Record<string, [string, string, string]> = {
  'cifar10.ddpm-unet.class-0': [
    '9638752a210a05140053afb123bd7086a9e81cddb30ab82cfd2422dc0105aef4',
    'bed0f1a9c712e96cff947e3f511089e54231faefb41b0872d6efa17b2fe422bc',
    'b982c08396d8417a0ed25c46d63d27064e40298045fd5173b5763242060dfe19',
  ],
  'fashion-mnist-5k-16.ddpm-unet.class-0': [
    'd9f882445f57c7cc29b1b2a1e89d2d96e52ff5cbed1897d30b4e67b2a99b0289',
    '0829c974f3af1e57b7cafdf8c9a9969e53a910723096d016b3c5ef5d16608460',
    '8f113dab05ad3c7eb12977611c33b2176ab9dcfda197f303f87667a8d93ab63b',
  ],
  'fashion-mnist-5k.small-cnn.class-0': [
    '87ad9b31b90e5a6c6ba548febed174c5ddc713ed6f2d070c35d9bab7d3319e55',
    '75b24f264f06d47dba5302e32dc67019862aced25e4eb348f891f2cf5d179124',
    'b6e6bda96a0cf4bdb5829332ee2e17eefa79e06e0e2d10beccb5a25aeb892cef',
  ],
}

test.each(Object.entries(before))('%s is the definition that it was, with the same stages', async (slug, keys) => {
  const benchmark = benchmarks.get(slug)!
  const stages = await planRun(benchmark, retrain, {}, 0)
  expect([await definitionOf(benchmark), stages[0]!.key, stages.at(-1)!.key]).toEqual(keys)
})

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
    const evaluation = suite.benchmarks[0]!.generation ? 'evaluate-samples' : 'evaluate'
    for (const { kind, keys } of shared) expect({ kind, keys }).toEqual({ kind, keys: kind === evaluation ? 10 : 1 })
    const retrained = await Promise.all(suite.benchmarks.map((benchmark) => planRun(benchmark, retrain, {}, 0)))
    expect(new Set(retrained.map(([train]) => train!.key)).size).toBe(10)
  },
)
