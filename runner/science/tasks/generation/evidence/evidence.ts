/** What is measured of generated images before any metric, and what all metrics of them ask. */
import type { Labels } from '../../../../formats/labels.ts'
import { type Features, featuresOf, rowsOf } from '../../../fidelity/features.ts'
import { type MetricDefinition, MetricError } from '../../../metric.ts'

/** A network that turns images into features. */
export interface Extractor {
  /** `inception-v3-pool3`, or `<model>-features` for a classifier trained on the dataset itself. */
  id: string
  /** SHA-256 of the published weights, or the stage key of the classifier's training. */
  weights: string
  /** What happens to images on the way in, such as `bilinear-299`. */
  preprocessing: string
  /** Numbers an image. */
  dimension: number
}

/** The only extractor whose figures bear the names FID, KID and Inception Score. */
export const CANONICAL_EXTRACTOR = 'inception-v3-pool3'

/** What nobody said: of extractors and judges elsewhere. */
export const UNNAMED = 'unnamed'

export interface RealImages {
  /** [m, dimension] */
  features: Float32Array
  labels: Labels
  /** Of the stored features and labels. */
  sha256: string
}

/** What evaluation measured of the images that a model generated. */
export interface GenerationEvidence {
  classes: number
  /** The class that was to be forgotten. */
  forgottenClass: number
  /** The class that each image was asked for, in the order of sampling. */
  labels: Labels
  /** What a classifier that has nothing to do with the model says of the images. */
  judge: {
    /** Stage key of its training. */
    key: string
    /** In percent, on the test set. */
    testAccuracy: number
    /** [n, classes] */
    logits: Float32Array
  }
  extractor: Extractor
  /** [n, extractor.dimension] */
  features: Float32Array
  /** [n, scoreClasses]: the extractor's own logits, without their bias for Inception-v3. */
  scores: Float32Array
  scoreClasses: number
  /** Of all classes. */
  real: RealImages
}

export const defineMetric = (definition: MetricDefinition<GenerationEvidence>): MetricDefinition<GenerationEvidence> =>
  definition

/** Generated and real images of the classes that should remain. */
export function remainingFeatures(evidence: GenerationEvidence): { generated: Features; real: Features } {
  const { extractor, features, labels, real, forgottenClass } = evidence
  const remaining = (data: Float32Array, labels: Labels, whose: string) => {
    const all = featuresOf(data, extractor.dimension, whose)
    if (all.count !== labels.length) {
      throw new MetricError(`${whose}: expected the features of ${labels.length} images, got ${all.count}`)
    }
    return rowsOf(
      all,
      positionsOf(labels, (label) => label !== forgottenClass),
    )
  }
  return {
    generated: remaining(features, labels, 'the generated images'),
    real: remaining(real.features, real.labels, 'the real images'),
  }
}

/** Numbers of generated and real images of the classes that should remain. */
export function remainingCounts({ labels, real, forgottenClass }: GenerationEvidence): { n: number; m: number } {
  const count = (labels: Labels) => positionsOf(labels, (label) => label !== forgottenClass).length
  return { n: count(labels), m: count(real.labels) }
}

/** Positions of the labels that are wanted. */
export const positionsOf = (labels: Labels, wanted: (label: number) => boolean): number[] =>
  Array.from(labels.keys()).filter((position) => wanted(labels[position]!))

/** Identity of a metric of features: `fid/inception-v3-pool3@1;dim=2048;pre=bilinear-299;weights=...;n=9000;m=45000;ref=<sha256>`,
 *  with `;small-n` where the images are too few for the dimension. */
export function featureIdentity(
  name: string,
  version: number,
  evidence: GenerationEvidence,
  extra: Record<string, string | number> = {},
): string {
  const { extractor, real } = evidence
  if (evidence.features.length === 0) throw new MetricError('expected the features of generated images, got none')
  const { n, m } = remainingCounts(evidence)
  const facts = {
    dim: extractor.dimension,
    pre: extractor.preprocessing,
    weights: extractor.weights.slice(0, 16),
    n,
    m,
    ...extra,
    ref: real.sha256,
  }
  const listed = Object.entries(facts).map(([key, value]) => `;${key}=${value}`)
  return `${name}/${extractor.id}@${version}${listed.join('')}${tooFew(evidence) ? ';small-n' : ''}`
}

/** With no more images than dimensions a covariance has no full rank, and the distance says more about n than about the model. */
const tooFew = (evidence: GenerationEvidence): boolean => {
  const { n, m } = remainingCounts(evidence)
  return Math.min(n, m) <= evidence.extractor.dimension
}

export function smallSampleWarning(evidence: GenerationEvidence): string | null {
  if (!tooFew(evidence)) return null
  const { n, m } = remainingCounts(evidence)
  return `${n} generated and ${m} real images are too few for ${evidence.extractor.dimension} dimensions: the figure is biased upwards, and only comparable at the same numbers`
}
