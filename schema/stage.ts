/** Stages: the units of work, each identified by the hash of everything that determines its result. */
import { z } from 'zod'
import { datasetRef, forgetRequest, generation, modelRef, trainingRecipe } from './benchmark.ts'
import { denoising, sampling } from './diffusion.ts'
import { canonicalJson, sha256, sha256Hex } from './hash.ts'

/** Raise when the same stage spec would give other bytes than before; every stage key then changes. */
export const ENGINE_VERSION = 2

export const stageKey = sha256
export type StageKey = z.infer<typeof stageKey>

export const seed = z.int().min(0).max(0x7fffffff)

/** Trains from a fresh initialisation on all of D, or on D_r of a forget request. */
export const trainStage = z.strictObject({
  kind: z.literal('train'),
  dataset: datasetRef,
  model: modelRef,
  recipe: trainingRecipe,
  /** The data to leave out; null trains on all of D, so that every benchmark shares one original. */
  without: forgetRequest.nullable(),
  /** Set for denoisers. */
  denoising: denoising.optional(),
  seed,
})

/** Runs a method on the weights of an earlier stage. */
export const unlearnStage = z.strictObject({
  kind: z.literal('unlearn'),
  dataset: datasetRef,
  model: modelRef,
  holdOut: z.number(),
  augment: z.boolean(),
  request: forgetRequest,
  method: z.strictObject({ id: z.string(), version: z.int(), params: z.record(z.string(), z.unknown()) }),
  /** Set for denoisers. */
  denoising: denoising.optional(),
  seed,
  original: stageKey,
})

/** Samples images of every class from a denoiser. */
export const sampleStage = z.strictObject({
  kind: z.literal('sample'),
  dataset: datasetRef,
  model: modelRef,
  denoising,
  sampling,
  seed,
  weights: stageKey,
})

/** Trains the classifier that judges samples, on all of D. */
export const judgeStage = z.strictObject({
  kind: z.literal('judge'),
  dataset: datasetRef,
  model: modelRef,
  recipe: trainingRecipe,
  seed,
})

/** Measures the weights of an earlier stage: evidence first, then metrics computed from the evidence. */
export const evaluateStage = z.strictObject({
  kind: z.literal('evaluate'),
  dataset: datasetRef,
  model: modelRef,
  holdOut: z.number(),
  request: forgetRequest,
  /** Identities of the metrics to compute, such as `mia/svc-confidence@1`. */
  metrics: z.array(z.string()),
  seed,
  weights: stageKey,
})

/** The same for generated images, which a classifier judges. */
export const evaluateSamplesStage = z.strictObject({
  kind: z.literal('evaluate-samples'),
  dataset: datasetRef,
  request: forgetRequest,
  /** The classifier; its weights are those of `judge`. */
  model: modelRef,
  extractor: generation.shape.extractor,
  /** Identities of the metrics to compute, up to their first `;`. */
  metrics: z.array(z.string()),
  seed,
  samples: stageKey,
  judge: stageKey,
})

export const stageSpec = z.discriminatedUnion('kind', [
  trainStage,
  unlearnStage,
  evaluateStage,
  sampleStage,
  judgeStage,
  evaluateSamplesStage,
])
export const stageKinds = ['train', 'unlearn', 'evaluate', 'sample', 'judge', 'evaluate-samples'] as const
export type StageSpec = z.infer<typeof stageSpec>
export type TrainStage = z.infer<typeof trainStage>
export type UnlearnStage = z.infer<typeof unlearnStage>
export type EvaluateStage = z.infer<typeof evaluateStage>
export type SampleStage = z.infer<typeof sampleStage>
export type EvaluateSamplesStage = z.infer<typeof evaluateSamplesStage>

/** Keys of the stages whose artifacts a stage reads. */
export function inputsOf(spec: StageSpec): StageKey[] {
  if (spec.kind === 'unlearn') return [spec.original]
  if (spec.kind === 'evaluate' || spec.kind === 'sample') return [spec.weights]
  if (spec.kind === 'evaluate-samples') return [spec.samples, spec.judge]
  return []
}

/** SHA-256 of the canonical spec and the engine version; the spec holds the keys of its inputs, so keys chain. */
export function stageKeyOf(spec: StageSpec): Promise<StageKey> {
  return sha256Hex(canonicalJson({ engine: ENGINE_VERSION, ...stageSpec.parse(spec) }))
}
