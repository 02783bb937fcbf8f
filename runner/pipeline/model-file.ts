/** Models that are files, before anything long is computed: pinned by their hashes, read, and held against the data. */
import type { Benchmark } from '../../schema/benchmark.ts'
import { picturedOf } from '../../schema/classes.ts'
import { EXPORTED, type FileRef } from '../../schema/parts/model-file.ts'
import { findModelFile, type ModelFile, openModelFile } from '../data/files/model-file.ts'
import { aboutFile } from '../engine/reading/about.ts'
import type { DataLoader } from '../stages/data.ts'
import type { DataPlaces } from '../store/home.ts'
import { exportedClassifier } from '../tasks/classification/exported.ts'

interface Where {
  data: DataLoader
  places: DataPlaces
  signal: AbortSignal
}

/** The benchmark with the hash of each file that is its model's, and where these files lie. Throws DatasetError for a file that isn't
 *  there or is another one, ConfigurationError for one that can't be used on the data. */
export async function pinModelFiles(
  benchmark: Benchmark,
  { data, places, signal }: Where,
): Promise<{ benchmark: Benchmark; models: Record<string, string> }> {
  if (benchmark.model.id !== EXPORTED) return { benchmark, models: {} }
  const models: Record<string, string> = {}
  const pin = async <Ref extends FileRef>(ref: Ref): Promise<Ref> => {
    const file = ref.path === undefined ? await findModelFile(ref, places) : await openModelFile(ref.path, ref)
    models[file.sha256] = file.path
    return { ...ref, ...contentOf(file) }
  }
  const { initial, ...own } = benchmark.model
  const model = { ...(await pin(own)), ...(initial && { initial: await pin(initial) }) }
  const known = picturedOf(benchmark.dataset)
  const images = known
    ? { ...known, height: known.size, width: known.size }
    : (await data(benchmark.dataset, { signal })).dataset
  await exportedClassifier(model, images, { places: { ...places, models } })
  return { benchmark: { ...benchmark, model }, models }
}

/** What a benchmark names a file by: its hash, and those of the files beside it that hold its weights. */
export function contentOf(file: ModelFile): { sha256: string; external?: Record<string, string> } {
  const named = aboutFile(file.bytes)?.external ?? []
  for (const location of named) file.external(location)
  return { sha256: file.sha256, ...(named.length > 0 && { external: file.beside() }) }
}
