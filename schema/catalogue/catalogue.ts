/** Every benchmark and suite by its slug. */
import type { Benchmark } from '../benchmark.ts'
import * as benchmarkModules from '../benchmarks/index.ts'
import type { Suite } from '../suite.ts'
import * as suiteModules from '../suites/index.ts'

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

/** What a submission or a run can be to: a benchmark, or all of a suite. */
export type Target = Pick<Suite, 'slug' | 'title' | 'benchmarks'>

export const targets: ReadonlyMap<string, Target> = new Map<string, Target>([
  ...suites,
  ...[...benchmarks].map(([slug, benchmark]): [string, Target] => [
    slug,
    { slug, title: benchmark.title, benchmarks: [benchmark] },
  ]),
])

/** Slugs as errors list them: each class of a suite is told by its suite. */
export const listed: readonly string[] = [...targets.keys()].filter((slug) => !suiteWith(slug)).sort()
