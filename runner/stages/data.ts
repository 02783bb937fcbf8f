/** Datasets for stages: each is loaded once per process. */
import type { DatasetRef, ModelRef } from '../../schema/parts/recipe.ts'
import * as datasets from '../data/datasets/index.ts'
import type { DenoiserDefinition } from '../engine/nn/denoiser.ts'
import { type DenoiserNetwork, denoiserNetworkOf } from '../engine/nn/denoiser-network.ts'
import * as denoisers from '../engine/nn/denoisers/index.ts'
import type { ModelDefinition } from '../engine/nn/model.ts'
import * as models from '../engine/nn/models/index.ts'
import { type Network, networkOf } from '../engine/nn/network.ts'
import type { Dataset, DatasetDefinition, LoadOptions } from '../science/dataset.ts'
import { DatasetError } from '../science/dataset.ts'
import { checkModelClasses } from './check-classes.ts'
import { ConfigurationError } from './configuration-error.ts'

export interface LoadedData {
  dataset: Dataset
  definition: DatasetDefinition
}

export type DataLoader = (ref: DatasetRef, options?: Pick<LoadOptions, 'signal' | 'onProgress'>) => Promise<LoadedData>

const registry: Record<string, DatasetDefinition> = datasets
const architectures: Record<string, ModelDefinition> = models
const denoising: Record<string, DenoiserDefinition> = denoisers

/** A loader that keeps what it loaded. `directories` come before the cache. */
export function dataLoader(places: Pick<LoadOptions, 'directories' | 'cache'>): DataLoader {
  const loaded = new Map<string, Promise<LoadedData>>()
  return (ref, options) => {
    const definition = registry[ref.id]
    if (!definition) throw new DatasetError(`unknown dataset ${ref.id}; known: ${Object.keys(registry).join(', ')}`)
    const key = `${ref.id} ${ref.path ?? ''}`
    const known = loaded.get(key)
    if (known) return known
    const load = async () => {
      const dataset = await definition.load({ ...places, ...options, path: ref.path })
      if (ref.digest && dataset.digest !== ref.digest) {
        throw new DatasetError(
          `dataset ${ref.id} at ${ref.path ?? 'its cache'} has digest ${dataset.digest}; expected ${ref.digest}, so its images have changed`,
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

/** The network of a model on a dataset; `where` is the model's place in a benchmark. Throws for an unknown model, a parameter out
 *  of range, or another number of classes than the dataset has. */
export function networkFor(model: ModelRef, { dataset, definition }: LoadedData, where = 'model'): Network {
  const architecture = architectures[model.id]
  if (!architecture)
    throw new ConfigurationError(`unknown model ${model.id}; known: ${Object.keys(architectures).join(', ')}`)
  const params = architecture.params.parse(model.params)
  checkModelClasses(model, dataset, where)
  const classes = dataset.classes.length
  return networkOf([dataset.channels, dataset.height, dataset.width], classes, (scope, x) =>
    architecture.build(scope, x, { classes, normalization: definition.normalization }, params),
  )
}

/** The denoiser of a dataset, and which of its parameters the class enters by. */
export function denoiserFor(
  model: ModelRef,
  { dataset }: LoadedData,
): { network: DenoiserNetwork; conditions(parameter: string): boolean } {
  const architecture = denoising[model.id]
  if (!architecture)
    throw new ConfigurationError(`unknown denoiser ${model.id}; known: ${Object.keys(denoising).join(', ')}`)
  const params = architecture.params.parse(model.params)
  checkModelClasses(model, dataset, 'model')
  const classes = dataset.classes.length
  const inputShape = [dataset.channels, dataset.height, dataset.width]
  const network = denoiserNetworkOf(inputShape, classes, (scope, inputs) =>
    architecture.build(scope, inputs, { classes }, params),
  )
  return { network, conditions: architecture.conditions }
}
