/** A run in full: what it is, how far it is, what it measured and where the evidence lies. */
import { z } from 'zod'
import { benchmark } from '../benchmark.ts'
import { slug } from '../parts/recipe.ts'
import { beginning } from '../protocol/checkpoint.ts'
import { failureReason } from '../protocol/fail.ts'
import { artifactRef, device, memory, progress, seconds } from '../result.ts'
import { seed, stageKey, stageSpec } from '../stage.ts'
import { column } from './board.ts'
import { publicReason, runState, runSummary, submission } from './submission.ts'

export const jobState = z.enum(['queued', 'leased', 'done', 'failed', 'cancelled'])

/** `lost` and `released` cost the submitter nothing; only `failed` uses up attempts. `set-aside`: its result counts no more, for the
 *  reason that its message tells, and the stage is computed anew. */
export const outcomes = ['running', 'done', 'failed', 'lost', 'released', 'cancelled', 'set-aside'] as const

/** One lease of a stage and how it ended. Its log is read with `?attempt=`. */
export const delivery = z.strictObject({
  /** Counted from 1. */
  attempt: z.int(),
  runner: z.string(),
  outcome: z.enum(outcomes),
  /** Set by every end without a result, as are the two after it. */
  reason: failureReason.nullable(),
  message: z.string().nullable(),
  nextStep: z.string().nullable(),
  /** That it was given to go on from. */
  checkpoint: beginning.nullable(),
  /** UTF-8 bytes. */
  logBytes: z.int(),
  leasedAt: z.string(),
  endedAt: z.string().nullable(),
  /** When a result came after the job had gone elsewhere: kept as evidence, never scored. */
  lateResultAt: z.string().nullable(),
})
export type Delivery = z.infer<typeof delivery>

export const runStage = z.strictObject({
  key: stageKey,
  spec: stageSpec,
  state: jobState,
  /** True when a run of an earlier submission asked for the same stage. */
  shared: z.boolean(),
  runner: z.string().nullable(),
  progress: progress.nullable(),
  seconds: seconds.nullable(),
  device: device.nullable(),
  memory: memory.nullable(),
  versions: z.record(z.string(), z.string()),
  artifacts: z.record(z.string(), artifactRef),
  losses: z.array(z.number()),
  /** UTF-8 bytes. */
  logLength: z.int(),
  /** How often it was leased, how often a lease ran out, and how often a runner ended it as failed. */
  deliveries: z.int(),
  lost: z.int(),
  failed: z.int(),
  /** The oldest first. */
  history: z.array(delivery),
  /** What another runner's result of the same stage says of this one; null where none was asked for or is there yet. */
  repeat: z
    .strictObject({
      runner: z.string().nullable(),
      verdict: z.enum(['agrees', 'differs']),
      /** What was compared, and how far apart it is. */
      detail: z.string(),
      at: z.string(),
    })
    .nullable(),
  reason: failureReason.nullable(),
  message: z.string().nullable(),
  /** What can be done about the reason. */
  nextStep: z.string().nullable(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
})
export type RunStage = z.infer<typeof runStage>

/** Who computed a value, and when. */
const computed = {
  /** A runner or a token by its name, or `server`. */
  by: z.string(),
  /** Of the software. */
  version: z.string(),
  at: z.string(),
}

export const runMetric = z.strictObject({
  title: z.string(),
  unit: z.string(),
  /** In full, as measured. */
  identity: z.string(),
  better: column.shape.better,
  inAvgGap: column.shape.inAvgGap,
  ofTwo: column.shape.ofTwo,
  value: z.number(),
  /** Of the retrain run with the same seed; null until that is done. */
  retrain: z.number().nullable(),
  gap: z.number().nullable(),
  /** Of retrain's value; where it differs, the gap is one between two measures. */
  retrainIdentity: z.string().nullable(),
  /** Who computed the value from the evidence: the runner that measured it (`confirmed` is false: its word is all there is), the
   *  server when the result came, or another machine since. */
  computed: z.strictObject(computed),
  confirmed: z.boolean(),
  /** Null for the value that the job was finished with. */
  rescored: z.strictObject(computed).nullable(),
  /** Values that counted before, the newest first; of other versions of the metric, too. */
  earlier: z.array(z.strictObject({ identity: z.string(), value: z.number(), ...computed })),
})
export type RunMetric = z.infer<typeof runMetric>

/** The picture of a model's first samples of each class; equal noise stands at equal places in the pictures of one run. */
export const runSamples = z.strictObject({
  of: z.enum(['original', 'retrain', 'run']),
  /** The stage that samples, its state, and the first run that asked for it; null where none has. */
  stage: stageKey,
  state: jobState.nullable(),
  run: z.string().nullable(),
  picture: artifactRef.nullable(),
})
export type RunSamples = z.infer<typeof runSamples>

export const run = z.strictObject({
  id: z.string(),
  submission: z.string(),
  benchmark,
  method: slug,
  methodVersion: z.int(),
  title: z.string(),
  params: z.record(z.string(), z.unknown()),
  label: z.string(),
  visibility: submission.shape.visibility,
  author: z.string(),
  seed,
  state: runState,
  createdAt: z.string(),
  /** Null for a run whose submission is not withdrawn. */
  withdrawn: submission.shape.withdrawn,
  stages: z.array(runStage),
  /** Original, retrain and this run, where models are sampled. */
  samples: z.array(runSamples),
  /** By metric id, in the benchmark's order. */
  metrics: z.record(z.string(), runMetric),
  avgGap: z.number().nullable(),
  /** Set-up, mask and unlearning; for `original` and `retrain`, set-up and training. */
  seconds: z.number().nullable(),
  fractionOfRetrain: z.number().nullable(),
  /** The retrain run that the gaps refer to. */
  reference: z.string().nullable(),
  /** Repeats this run on your own machine. */
  command: z.string(),
})
export type Run = z.infer<typeof run>

export const runListItem = z.strictObject({
  ...runSummary.shape,
  submission: z.string(),
  method: slug,
  label: z.string(),
  author: z.string(),
  createdAt: z.string(),
})
export type RunListItem = z.infer<typeof runListItem>

export const runList = z.strictObject({ runs: z.array(runListItem), next: z.string().nullable() })

/** What an admin says of a stage whose result is to count no more. */
export const setAside = z.strictObject({ reason: publicReason })

/** Stages whose results count no more: the one that was named, and all that were computed from it. */
export const setAsideStages = z.strictObject({ stages: z.array(stageKey) })
