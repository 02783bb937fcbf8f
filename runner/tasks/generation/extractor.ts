/** Networks that look at images: FID's Inception-v3, and classifiers trained on the dataset itself, which judge as well. */

import { type ExtractOptions, extract, featureCount } from '../../engine/nn/extract.ts'
import { INCEPTION_CLASSES, inceptionV3 } from '../../engine/nn/extractors/inception-v3.ts'
import type { Network } from '../../engine/nn/network.ts'
import type { Shape, Tensor } from '../../engine/onnx/tensor.ts'
import { classifierFeatures } from '../../science/tasks/generation/evidence/asked.ts'
import type { Extractor } from '../../science/tasks/generation/evidence/evidence.ts'
import { CANONICAL_EXTRACTOR } from '../../science/tasks/generation/evidence/evidence.ts'

export interface ImageExtractor extends Extractor {
  network: Network
  state: ReadonlyMap<string, Tensor>
  /** Images at a time that fit any memory. */
  batch: number
  /** What is taken off the logits for the Inception Score. */
  bias: Float32Array | null
}

/** A classifier of the dataset, by the id of its model and the stage key of its training. */
export const classifierExtractor = ({
  model,
  key,
  network,
  state,
}: {
  model: string
  key: string
  network: Network
  state: ReadonlyMap<string, Tensor>
}): ImageExtractor => ({
  id: classifierFeatures(model),
  weights: key,
  preprocessing: 'none',
  dimension: featureCount(network),
  network,
  state,
  batch: 100,
  bias: null,
})

/** Inception-v3 for images of a shape [c, h, w]; its weights come from loadInceptionWeights, and `sha256` with them. */
export function inceptionExtractor({
  inputShape,
  state,
  sha256,
}: {
  inputShape: Shape
  state: ReadonlyMap<string, Tensor>
  sha256: string
}): ImageExtractor {
  return {
    id: CANONICAL_EXTRACTOR,
    weights: sha256,
    preprocessing: 'bilinear-299',
    dimension: 2048,
    network: inceptionV3(inputShape),
    state,
    batch: 16,
    // The Inception Score of papers leaves the bias out.
    bias: state.get('fc.bias')!.data.subarray(0, INCEPTION_CLASSES) as Float32Array,
  }
}

export interface Look {
  /** [n, dimension] */
  features: Float32Array
  /** [n, classes]: what the classifier answers. */
  logits: Float32Array
  /** The same for the Inception Score. */
  scores: Float32Array
}

/** Features and logits of images [n, c, h, w]. */
export async function lookAt(
  { network, state, batch, bias }: ImageExtractor,
  options: Omit<ExtractOptions, 'network' | 'state' | 'batch'>,
): Promise<Look> {
  const { features, logits } = await extract({ ...options, network, state, batch })
  const scores = bias ? logits.map((logit, i) => logit - bias[i % bias.length]!) : logits
  return { features, logits, scores }
}
