/** A benchmark's model that is a file: an exported classifier on the benchmark's data. */
import { type Reading, readingOf } from '../../../schema/parts/model-file.ts'
import type { ModelRef } from '../../../schema/parts/recipe.ts'
import { findModelFile, type ModelFile } from '../../data/files/model-file.ts'
import { begunAnew, begunWith, weightsOf } from '../../engine/nn/beginnings.ts'
import { networkOfModel } from '../../engine/nn/exported.ts'
import { normalizePixels } from '../../engine/nn/layers.ts'
import type { Network } from '../../engine/nn/network.ts'
import type { Tensor } from '../../engine/onnx/tensor.ts'
import type { ReadOptions } from '../../engine/reading/file-model.ts'
import type { Dataset } from '../../science/dataset.ts'
import { checkModelClasses } from '../../stages/check-classes.ts'
import { ConfigurationError } from '../../stages/configuration-error.ts'
import type { StageContext } from '../../stages/stage.ts'

export interface Classifier {
  network: Network
  /** Weights that are the original, so that nothing trains on all of D. */
  original?: ReadonlyMap<string, Tensor>
}

/** Throws DatasetError for a file that isn't there or is another one, ConfigurationError for one that can't be read or is made for
 *  other images or classes than those of the dataset. */
export async function exportedClassifier(
  model: ModelRef,
  dataset: Pick<Dataset, 'channels' | 'height' | 'width' | 'classes'>,
  { places }: Pick<StageContext, 'places'>,
  where = 'model',
): Promise<Classifier> {
  const look = (ref: Parameters<typeof findModelFile>[0]) => findModelFile(ref, places ?? { directories: [] })
  const file = await look(model)
  const initial = model.initial && (await look(model.initial))
  return inWords(file, () => {
    const network = networkFrom(file, model)
    checkImages(network, dataset, where)
    checkModelClasses({ ...model, classes: network.classes }, dataset, where)
    const begun = initial
      ? inWords(initial, () => begunWith(network, networkFrom(initial, model)))
      : model.weights === 'pretrained'
        ? network
        : begunAnew(network)
    return {
      network: normalized(begun, model.normalization, where),
      ...(model.weights === 'original' && { original: weightsOf(network.model) }),
    }
  })
}

/** The network of a file, read as the benchmark says. */
export const networkFrom = (
  { bytes, external }: Pick<ModelFile, 'bytes' | 'external'>,
  reading: Reading,
): ReturnType<typeof networkOfModel> => networkOfModel(bytes, { ...readingOf(reading), external } as ReadOptions)

/** What the reader throws is a sentence about the file, which it does not know by name. */
function inWords<T>({ path }: ModelFile, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (['ConfigurationError', 'DatasetError'].includes((error as Error).name)) throw error
    throw new ConfigurationError(`${path}: ${(error as Error).message}`)
  }
}

function checkImages(
  { inputShape }: Network,
  { channels, height, width }: Pick<Dataset, 'channels' | 'height' | 'width'>,
  where: string,
): void {
  const images = [channels, height, width]
  if (inputShape.join() === images.join()) return
  throw new ConfigurationError(
    `${where}: the file takes images of [${inputShape}], channels first, and those of the dataset are [${images}]; export it for [${images}], or bring the images to its size`,
  )
}

function normalized(network: Network, normalization: ModelRef['normalization'], where: string): Network {
  if (!normalization) return network
  const [channels] = network.inputShape
  const { mean } = normalization
  if (mean.length !== channels && mean.length !== 1)
    throw new ConfigurationError(
      `${where}.normalization: expected a number for each of ${channels} channels, or one for all, got ${mean.length}`,
    )
  return {
    ...network,
    forward: (ops, x, values, training) =>
      network.forward(ops, normalizePixels(ops, x, normalization), values, training),
  }
}
