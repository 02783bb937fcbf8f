/** End a job without a result. `failed` counts against its attempts, `released` puts it back in the queue. */
import { z } from 'zod'
import { wholeLog } from './log.ts'

export const path = '/api/v1/jobs/:key/fail'

export const failureReasons = [
  'submission_error',
  'numeric_divergence',
  'invalid_result',
  'out_of_memory',
  'gpu_lost',
  'timeout',
  'image_error',
  'configuration',
  'dependency',
  'input',
  'interrupted',
  'runner_lost',
  'cancelled',
  'evaluator_bug',
] as const
export const failureReason = z.enum(failureReasons)
export type FailureReason = z.infer<typeof failureReason>

export const request = z.strictObject({
  outcome: z.enum(['failed', 'released']),
  reason: failureReason,
  message: z.string().min(1).max(4000),
  /** Null where the runner could not send all of it; what came is kept. */
  log: wholeLog.nullable(),
})
/** Whether it was sent before or not: the same request gets the same answer until the job is leased again. */
export const response = z.strictObject({ state: z.enum(['failed', 'queued', 'cancelled']) })
