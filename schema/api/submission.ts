/** A submission: one method with parameters, for one benchmark or suite, over a list of seeds. */
import { z } from 'zod'
import { oneLine } from '../parts/one-line.ts'
import { slug } from '../parts/recipe.ts'
import { requirements } from '../requirements.ts'
import { every, seed } from '../stage.ts'
import { waitingRun } from './queue.ts'

export const visibilities = ['public', 'private'] as const
const visibility = z.enum(visibilities)

export const withdrawers = ['author', 'admin'] as const

/** A reason that everybody reads. */
export const publicReason = z.string().trim().min(3).max(500)

/** Why a submission left the boards. */
export const withdrawal = z.strictObject({
  at: z.string(),
  by: z.enum(withdrawers),
  reason: publicReason,
})
export type Withdrawal = z.infer<typeof withdrawal>

export const withdrawSubmission = z.strictObject({ reason: publicReason })

/** What choosing the parameters cost, as its author says: so many settings were tried on each of the pilot seeds, which are not those
 *  of the benchmark. Of a method that has nothing to tune, 0 trials. */
export const tuning = z.strictObject({
  trials: z.int().min(0).max(1_000_000),
  pilots: z.array(seed).max(100),
  /** Of set-up, mask and unlearning, of all trials on all pilots. */
  seconds: z.number().min(0).max(1e9),
})
export type Tuning = z.infer<typeof tuning>

export const createSubmission = z.strictObject({
  /** A benchmark, or a suite: then every class of it. */
  benchmark: slug,
  method: slug,
  /** Only the values that differ from the benchmark's preset and the method's defaults. */
  params: z.record(z.string().max(80), z.unknown()).default({}),
  /** Defaults to the benchmark's seeds. */
  seeds: z
    .array(seed)
    .min(1)
    .max(50)
    .refine((seeds) => new Set(seeds).size === seeds.length, 'expected different seeds')
    .meta({ uniqueItems: true })
    .optional(),
  /** Shown beside the method's name, to tell two parameter settings apart. */
  label: oneLine.max(60).default(''),
  /** A private one is on no board, list or page; its author and admins read it with their tokens. */
  visibility: visibility.default('public'),
  /** Shown with its row. Without a default, so that requests of before repeat under their keys. */
  tuning: tuning.optional(),
  /** Its runs are looked at along the way: their pages draw the path to retrain. Without a default, as `tuning`. */
  every: every.optional(),
})

/** Only what is given changes. */
export const changeSubmission = z
  .strictObject({
    /** Higher ones are served first; 0 is usual. */
    priority: z.int().min(-100).max(100),
    requires: requirements,
  })
  .partial()
  .refine((change) => Object.keys(change).length > 0, 'expected at least one of priority, requires')
  .meta({ minProperties: 1 })

/** In the order in which a run passes through them; each of the last three ends it. */
export const runState = z.enum(['queued', 'running', 'done', 'failed', 'cancelled'])
export type RunState = z.infer<typeof runState>

export const runSummary = z.strictObject({
  id: z.string(),
  benchmark: slug,
  seed,
  state: runState,
  /** How many of its stages are done. */
  stages: z.strictObject({ done: z.int(), total: z.int() }),
})
export type RunSummary = z.infer<typeof runSummary>

export const submission = z.strictObject({
  id: z.string(),
  /** As it was named: a benchmark or a suite. */
  benchmark: slug,
  method: slug,
  methodVersion: z.int(),
  params: z.record(z.string(), z.unknown()),
  label: z.string(),
  /** As its author says; null where nothing was said. */
  tuning: tuning.nullable(),
  visibility,
  author: z.string(),
  createdAt: z.string(),
  /** Null for one that is not withdrawn. */
  withdrawn: withdrawal.nullable(),
  runs: z.array(runSummary),
})
export type Submission = z.infer<typeof submission>

/** As it is answered by itself: with why and how long its runs wait. */
export const submissionInQueue = submission.extend({ waiting: z.array(waitingRun) })
export type SubmissionInQueue = z.infer<typeof submissionInQueue>

/** Newest first; `next` is the `before` of the following page, null on the last one. See page.ts. */
export const submissionList = z.strictObject({ submissions: z.array(submission), next: z.string().nullable() })
