/** Benchmarks of this server's own, as this isolate knows them. worker/queries/benchmarks/known.ts brings them up to date before a
 *  request that looks benchmarks up is answered, so that a look-up needs no database. */
import type { BenchmarkView } from '../../schema/api/benchmark.ts'

let known: ReadonlyMap<string, BenchmarkView> = new Map()

/** Why one was retired that a new version took the place of. */
export const replacement = (by: string | null): string => `replaced by ${by}`

/** By slug, in the order in which they were made. */
export const ownBenchmarks = (): ReadonlyMap<string, BenchmarkView> => known

export const setOwnBenchmarks = (all: ReadonlyMap<string, BenchmarkView>): void => {
  known = all
}
