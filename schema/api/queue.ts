/** What runs, what waits and why, and which runners there are. */
import { z } from 'zod'
import { probe } from '../probe.ts'
import { requirements } from '../requirements.ts'
import { progress } from '../result.ts'
import { seed, stageKey, stageKinds } from '../stage.ts'

const quantiles = z.strictObject({ median: z.number(), p90: z.number() })
export type Quantiles = z.infer<typeof quantiles>

const about = {
  run: z.string(),
  submission: z.string(),
  benchmark: z.string(),
  method: z.string(),
  label: z.string(),
  author: z.string(),
  seed,
  /** The stage that runs, or the one that comes next. */
  key: stageKey,
  kind: z.enum(stageKinds),
  since: z.string(),
}

export const runningStage = z.strictObject({
  ...about,
  runner: z.string(),
  progress: progress.nullable(),
  /** Seconds until it ends, by what stages like it took; null while there are none. */
  remaining: quantiles.nullable(),
})
export type RunningStage = z.infer<typeof runningStage>

/** `starting`: a runner is free for it. `busy`: all that could do it are taken. `share`: its author has more running than others.
 *  `earlier_stage`: its stage is being computed for another run. */
export const waitingReasons = [
  'starting',
  'busy',
  'share',
  'earlier_stage',
  'paused',
  'runners_silent',
  'no_matching_runner',
  'no_runner',
] as const
export type WaitingReason = (typeof waitingReasons)[number]

export const estimate = z.strictObject({
  /** Seconds from now until its next stage begins, and until its last one ends. */
  begins: quantiles,
  ends: quantiles.nullable(),
  /** How many earlier stages the next one is likened to: of the same kind, data, model, recipe and method. */
  basedOn: z.int(),
})
export type Estimate = z.infer<typeof estimate>

export const waitingRun = z.strictObject({
  ...about,
  priority: z.int(),
  /** 1 comes first. */
  position: z.int(),
  reason: z.enum(waitingReasons),
  /** The reason in a sentence. */
  words: z.string(),
  requires: requirements,
  /** Runners that meet the requirements, whatever they do now. */
  matchingRunners: z.int(),
  /** Null while no stage like one that must come before has ended yet. */
  estimate: estimate.nullable(),
  /** Every stage of it that is not done. */
  stages: z.array(stageKey),
})
export type WaitingRun = z.infer<typeof waitingRun>

export const queueRunner = z.strictObject({
  name: z.string(),
  state: z.enum(['active', 'paused', 'draining']),
  /** Why the server paused it by itself; null where it did not. */
  pauseReason: z.string().nullable(),
  /** Heard from lately. */
  present: z.boolean(),
  labels: z.array(z.string()),
  /** Null before it asked for work. */
  probe: probe.nullable(),
  lastSeenAt: z.string().nullable(),
  /** Jobs that it holds. */
  running: z.int(),
})
export type QueueRunner = z.infer<typeof queueRunner>

export const queue = z.strictObject({
  /** At most 200 of each; `waiting` in the order in which runs will be served. */
  running: z.array(runningStage),
  waiting: z.array(waitingRun),
  /** Stages that run, and runs that wait. */
  counts: z.strictObject({ running: z.int(), waiting: z.int() }),
  runners: z.array(queueRunner),
})
export type Queue = z.infer<typeof queue>
