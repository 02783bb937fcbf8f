/** Re-scoring: metrics computed anew from the evidence of jobs that are done. */
import { z } from 'zod'
import { sha256 } from '../parts/hash.ts'
import { artifactRef, metricValue } from '../result.ts'
import { stageKey } from '../stage.ts'

const dryRun = z.boolean().default(true)

export const rescore = z.strictObject({
  /** Only tell what would change. */
  dryRun,
  /** `next` of the answer before: go on there. */
  after: stageKey.optional(),
  /** The most evaluations of one call, which ends earlier when it took long. */
  limit: z.int().min(1).max(100).default(25),
  /** Leave alone what has a value. */
  onlyMissing: z.boolean().default(false),
})

/** A value that is new under its identity, or another one than before. */
export const scoreChange = z.strictObject({
  job: stageKey,
  /** Id of the metric. */
  metric: z.string(),
  identity: z.string(),
  before: z.number().nullable(),
  after: z.number(),
})
export type ScoreChange = z.infer<typeof scoreChange>

export const scoreProblem = z.strictObject({ job: stageKey, why: z.string() })
export type ScoreProblem = z.infer<typeof scoreProblem>

/** What takes a machine with the engine: metrics of an evaluation that are too much work here. */
export const scoresLeft = z.strictObject({
  job: stageKey,
  task: z.string(),
  /** The evidence, by name. */
  artifacts: z.record(z.string(), artifactRef),
  /** As the benchmark names them. */
  metrics: z.array(z.string()),
  /** The evidence of retrain of the same seed, where they are of two models. */
  retrain: artifactRef.optional(),
  why: z.string(),
})
export type ScoresLeft = z.infer<typeof scoresLeft>

export const rescoreReport = z.strictObject({
  dryRun: z.boolean(),
  at: z.string(),
  /** How many were looked at in this call, and how many come after them. */
  evaluations: z.int(),
  remaining: z.int(),
  changes: z.array(scoreChange),
  /** Values that were only the word of the runner that measured them, and came out the same. */
  confirmed: z.int().default(0),
  left: z.array(scoresLeft),
  /** Evidence that is missing or damaged, and metrics that it does not support. */
  problems: z.array(scoreProblem),
  /** Metrics of the benchmark that this release does not compute: values of them stay as they are. */
  unknown: z.array(z.string()),
  /** `after` of the next call; null where there is nothing left. */
  next: stageKey.nullable(),
})
export type RescoreReport = z.infer<typeof rescoreReport>

/** Values that another machine computed from evidence of this server. */
export const addScores = z.strictObject({
  dryRun,
  /** Of the software that computed them. */
  version: z.string().min(1).max(80),
  evaluations: z
    .array(
      z.strictObject({
        job: stageKey,
        /** SHA-256 of each file that they were computed from, by its name; the job must still have these. */
        evidence: z.record(z.string(), sha256),
        /** By metric id. */
        metrics: z.record(z.string().max(40), metricValue),
      }),
    )
    .min(1)
    .max(20),
})

export const addedScores = z.strictObject({
  dryRun: z.boolean(),
  changes: z.array(scoreChange),
  /** Values that were only the word of the runner that measured them, and came out the same. */
  confirmed: z.int().default(0),
  problems: z.array(scoreProblem),
})
