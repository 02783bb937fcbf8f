/** The journal of sweeps: which runs are done, and which stages came to nothing and need not be computed to find that out again. What
 *  they came to lies in the store. */
import { join } from 'node:path'
import { z } from 'zod'
import type { Benchmark } from '../../schema/benchmark.ts'
import { canonicalJson, sha256Hex } from '../../schema/parts/hash.ts'
import { definitionOf } from '../../schema/plan.ts'
import { stageKeyOf } from '../../schema/stage.ts'
import { type Journal, openJournal } from '../store/journal.ts'
import { computationOf } from './computation.ts'
import { type Compute, isFruitless, type LocalPlan } from './local.ts'

const entry = z.union([
  /** A run, by the key of its last stage. */
  z.object({
    at: z.string(),
    run: z.string(),
    row: z.string(),
    benchmark: z.string(),
    seed: z.int(),
    avgGap: z.number(),
  }),
  /** A stage that diverged, with what it was computed by. */
  z.object({
    at: z.string(),
    stage: z.string(),
    computation: z.string(),
    name: z.string(),
    message: z.string(),
    seconds: z.number(),
  }),
])
export type SweepEntry = z.infer<typeof entry>

/** One for all sweeps of a benchmark, or of the benchmarks of a suite: a later one with more trials goes on with it. */
export async function sweepJournal(
  home: string,
  { slug, benchmarks }: { slug: string; benchmarks: readonly Benchmark[] },
): Promise<Journal<SweepEntry>> {
  const definition = await sha256Hex(canonicalJson(await Promise.all(benchmarks.map(definitionOf))))
  return openJournal(join(home, 'sweeps', `${slug}-${definition.slice(0, 16)}.jsonl`), entry)
}

/** A stage that came to nothing, now or before. */
export class FruitlessError extends Error {
  readonly seconds: number

  constructor({ name, message, seconds }: { name: string; message: string; seconds: number }) {
    super(message)
    this.name = name
    this.seconds = seconds
  }
}

/** Computes as before, but what came to nothing by the same computation does so at once. */
export function remembering(compute: Compute, journal: Journal<SweepEntry>): Compute {
  return async (spec, context) => {
    const computation = await computationOf(spec, context)
    const before = journal.entries.find((one) => 'stage' in one && one.computation === computation)
    if (before && 'stage' in before) throw new FruitlessError(before)
    const began = performance.now()
    try {
      return await compute(spec, context)
    } catch (error) {
      if (!isFruitless(error)) throw error
      const { name, message } = error
      const failed = { name, message, seconds: (performance.now() - began) / 1000 }
      journal.add({ at: new Date().toISOString(), stage: await stageKeyOf(spec), computation, ...failed })
      throw new FruitlessError(failed)
    }
  }
}

/** What of a plan the journal knows: runs by the keys of their last stages, and how many stages came to nothing. */
export function doneBefore({ entries }: Journal<SweepEntry>, { runs, stages }: LocalPlan) {
  const [done, failed] = [new Set<string>(), new Set<string>()]
  for (const entry of entries) {
    if ('run' in entry) done.add(entry.run)
    else failed.add(entry.stage)
  }
  const own = runs.flatMap(({ stages }) => stages.at(-1)!.key)
  return {
    runs: new Set(own.filter((key) => done.has(key))),
    failed: stages.filter(({ key }) => failed.has(key)).length,
  }
}
