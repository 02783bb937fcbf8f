/** Datasets for stages: each is loaded once per process. */
import type { DatasetRef } from '../../schema/parts/recipe.ts'
import * as modules from '../data/datasets/index.ts'
import type { Dataset, DatasetDefinition, LoadOptions } from '../science/dataset.ts'
import { DatasetError } from '../science/dataset.ts'

export interface LoadedData {
  dataset: Dataset
  definition: DatasetDefinition
}

export type DataLoader = (ref: DatasetRef, options?: Pick<LoadOptions, 'signal' | 'onProgress'>) => Promise<LoadedData>

export const datasets: Map<string, DatasetDefinition> = new Map(Object.entries(modules))

/** A loader that keeps what it loaded. `directories` come before the cache. */
export function dataLoader(places: Pick<LoadOptions, 'directories' | 'cache'>): DataLoader {
  const loaded = new Map<string, Promise<LoadedData>>()
  return (ref, options) => {
    const definition = datasets.get(ref.id)
    if (!definition) throw new DatasetError(`unknown dataset ${ref.id}; known: ${[...datasets.keys()].join(', ')}`)
    if (ref.size !== undefined && !definition.resizes)
      throw new DatasetError(`dataset ${ref.id}: its images have one size; leave out the size ${ref.size}`)
    const key = `${ref.id} ${ref.size ?? ''} ${ref.path ?? ref.digest ?? ''}`
    const known = loaded.get(key)
    if (known) return known
    const load = async () => {
      const dataset = await definition.load({
        ...places,
        ...options,
        path: ref.path,
        digest: ref.digest,
        size: ref.size,
      })
      if (ref.digest && dataset.digest !== ref.digest) {
        throw new DatasetError(
          `dataset ${ref.id} at ${ref.path ?? 'its place'} has digest ${dataset.digest}; expected ${ref.digest}, so its images have changed`,
        )
      }
      return { dataset, definition }
    }
    const loading = load()
    loaded.set(key, loading)
    loading.catch(() => loaded.delete(key))
    return loading
  }
}
