/** Stages by their shape alone; schema/stage.ts checks them against their task and gives them keys. */
import { z } from 'zod'
import { sha256 } from './hash.ts'
import { datasetRef, forgetRequest, modelRef, trainingRecipe } from './recipe.ts'

export const stageKey = sha256
export type StageKey = z.infer<typeof stageKey>

export const seed = z.int().min(0).max(0x7fffffff)

const common = {
  task: z.string(),
  dataset: datasetRef,
  model: modelRef,
  /** What the task adds to a stage of this kind. */
  part: z.record(z.string(), z.unknown()),
  /** Keys of the stages whose artifacts it reads, by what they are to it. */
  inputs: z.record(z.string(), stageKey),
  seed,
  /** The same once more, to be compared; it takes no part in the computation, and makes another key. */
  repeat: z.int().min(1).optional(),
}

/** Of the split: of what is held out and what is drawn to be forgotten. Left out where it is the stage's own, or draws nothing. */
const splitSeed = seed.optional()

/** Trains from a fresh initialisation on all of D, or on D_r of a forget request. */
export const train = z.strictObject({
  kind: z.literal('train'),
  ...common,
  splitSeed,
  recipe: trainingRecipe,
  /** The data to leave out; null trains on all of D, so that every benchmark shares one original. */
  without: forgetRequest.nullable(),
  /** Begins the names of its draws; without it they are those that every training of the seed shares. The split stays the same. */
  draws: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/)
    .optional(),
})

/** What a run is looked at after, while it unlearns. */
export const every = z.enum(['epoch'])
export type Every = z.infer<typeof every>

/** Runs a method on the weights of an earlier stage, `inputs.original`. */
export const unlearn = z.strictObject({
  kind: z.literal('unlearn'),
  ...common,
  splitSeed,
  holdOut: z.number(),
  augment: z.boolean(),
  request: forgetRequest,
  method: z.strictObject({
    id: z.string(),
    version: z.int(),
    params: z.record(z.string(), z.unknown()),
    /** SHA-256 of its file, of a method that is one by itself. */
    source: sha256.optional(),
  }),
  /** Leaves metrics along the way as well. They change no weight, and are part of what the stage leaves. */
  every: every.optional(),
})

/** Draws examples from the weights of an earlier stage, `inputs.weights`. */
export const sample = z.strictObject({ kind: z.literal('sample'), ...common })

/** Measures what earlier stages left: evidence first, from which metrics are computed. Which metrics those are is no part of it. */
export const evaluate = z.strictObject({
  kind: z.literal('evaluate'),
  ...common,
  holdOut: z.number(),
  request: forgetRequest,
})

export const stageShape = z.discriminatedUnion('kind', [train, unlearn, sample, evaluate])
export const stageKinds = ['train', 'unlearn', 'sample', 'evaluate'] as const
export type StageKind = (typeof stageKinds)[number]
export type StageSpec = z.infer<typeof stageShape>
export type StageOf<Kind extends StageKind> = Extract<StageSpec, { kind: Kind }>
