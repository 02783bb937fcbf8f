/** Every benchmark and suite by its slug. */
import type { Benchmark } from './benchmark.ts'
import * as benchmarkModules from './benchmarks/index.ts'
import type { Suite } from './suite.ts'
import * as suiteModules from './suites/index.ts'

export const suites: ReadonlyMap<string, Suite> = new Map(Object.entries(suiteModules))

/** Those of suites among them. */
export const benchmarks: ReadonlyMap<string, Benchmark> = new Map(
  [...Object.values(benchmarkModules), ...[...suites.values()].flatMap((suite) => suite.benchmarks)].map(
    (benchmark) => [benchmark.slug, benchmark],
  ),
)

/** The suite that a benchmark is a class of. */
export const suiteWith = (slug: string): Suite | undefined =>
  [...suites.values()].find(({ benchmarks }) => benchmarks.some((benchmark) => benchmark.slug === slug))
