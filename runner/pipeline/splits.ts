/** D_f and D_r of a benchmark's runs, before anything is computed: told to be there, and written for other software. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Benchmark } from '../../schema/benchmark.ts'
import { seedsOf } from '../../schema/parts/seeding.ts'
import { writeNpy } from '../formats/npz.ts'
import type { DataLoader } from '../stages/data.ts'
import { type DataSplit, splitFor } from '../stages/split.ts'
import type { DataPlaces } from '../store/home.ts'
import { reasonOf, writeWhole } from '../store/write.ts'
import { UsageError } from '../words/usage.ts'

/** By the numbers of the runs. Throws ConfigurationError for a request that one of the seeds can't answer. */
export async function splitsOf(
  { dataset, training: { holdOut }, request, seeding }: Benchmark,
  seeds: readonly number[],
  { data, places, signal }: { data: DataLoader; places: DataPlaces; signal: AbortSignal },
): Promise<Map<number, DataSplit>> {
  const loaded = await data(dataset, { signal })
  const splits = new Map<number, DataSplit>()
  for (const run of seeds) {
    const seed = seedsOf({ seeding }, run).forgetSet
    splits.set(run, await splitFor({ holdOut, request, seed }, loaded, { places }))
  }
  return splits
}

/** Writes `seed-<n>/forget.npy` and `retain.npy`, positions in the training set. */
export async function saveSplits(folder: string, splits: ReadonlyMap<number, DataSplit>): Promise<void> {
  try {
    for (const [seed, { forget, retain }] of splits) {
      const own = join(folder, `seed-${seed}`)
      await mkdir(own, { recursive: true })
      await writeWhole(join(own, 'forget.npy'), writeNpy(forget))
      await writeWhole(join(own, 'retain.npy'), writeNpy(retain))
    }
  } catch (error) {
    throw new UsageError(`--save-split ${folder}: cannot be written: ${reasonOf(error)}; name a folder that can be`)
  }
}
