/** From images to evidence of generation: what the judge and the extractor say of generated and of real images. */

import type { ExtractOptions } from '../../engine/nn/extract.ts'
import type { Labels } from '../../formats/labels.ts'
import type { Split } from '../../science/dataset.ts'
import { MetricError } from '../../science/metric.ts'
import { countCorrect } from '../../science/tasks/classification/evidence/answers.ts'
import { encodeRealImages } from '../../science/tasks/generation/evidence/codec.ts'
import { CANONICAL_EXTRACTOR, type GenerationEvidence } from '../../science/tasks/generation/evidence/evidence.ts'
import { type ImageExtractor, type Look, lookAt } from './extractor.ts'

/** The phase in which an extractor looks at real images. */
export const REAL_IMAGES = 'features of real images'

export type MeasureOptions = Pick<ExtractOptions, 'threads' | 'provider' | 'signal' | 'onProgress'>

/** Accuracy of a classifier in percent, on a test set that it was not trained on. */
export async function testAccuracy(judge: ImageExtractor, test: Split, options: MeasureOptions): Promise<number> {
  const { logits } = await lookAt(judge, { ...options, images: test.images, phase: 'the judge on the test set' })
  return (100 * countCorrect({ logits, labels: test.labels })) / test.count
}

/** The file of real images that all runs with this extractor share; its SHA-256 is the `ref` of identities. */
export async function measureRealImages(
  extractor: ImageExtractor,
  { images, labels }: Split,
  options: MeasureOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { features } = await lookAt(extractor, { ...options, images, phase: REAL_IMAGES })
  return encodeRealImages({ features, labels }, extractor)
}

export interface Generated {
  /** [n, c, h, w] */
  images: Uint8Array
  /** The class that each image was asked for. */
  labels: Labels
  classes: number
  forgottenClass: number
}

/** The judge looks once where it is the extractor as well. Throws MetricError, before anything is computed, for a classifier of
 *  another number of classes than the images. */
export async function measureGenerated(
  { images, ...asked }: Generated,
  {
    judge,
    extractor,
    accuracy,
    real,
  }: {
    judge: ImageExtractor
    extractor: ImageExtractor
    accuracy: number
    real: GenerationEvidence['real']
  },
  options: MeasureOptions,
): Promise<GenerationEvidence> {
  for (const { id, network } of judge === extractor ? [judge] : [judge, extractor]) {
    // Inception-v3 has classes of its own.
    if (id === CANONICAL_EXTRACTOR || network.classes === asked.classes) continue
    throw new MetricError(
      `${id}: expected a classifier of the ${asked.classes} classes of the images, got one of ${network.classes}; train it on the dataset of the images`,
    )
  }
  const answers = await lookAt(judge, { ...options, images, phase: 'the judge on generated images' })
  const seen: Look =
    judge === extractor
      ? answers
      : await lookAt(extractor, { ...options, images, phase: 'features of generated images' })
  const { id, weights, preprocessing, dimension, network } = extractor
  return {
    ...asked,
    judge: { key: judge.weights, testAccuracy: accuracy, logits: answers.logits },
    extractor: { id, weights, preprocessing, dimension },
    features: seen.features,
    scores: seen.scores,
    scoreClasses: network.classes,
    real,
  }
}
