/** End a job without a result. `failed` counts against its attempts, `released` puts it back in the queue. */
import { z } from 'zod'
import { leaseToken } from './lease.ts'

export const path = '/api/v1/jobs/:key/fail'

export const failureReason = z.enum([
  'submission_error',
  'numeric_divergence',
  'out_of_memory',
  'gpu_lost',
  'timeout',
  'image_error',
  'configuration',
  'dependency',
  'interrupted',
  'runner_lost',
  'cancelled',
  'evaluator_bug',
])
export type FailureReason = z.infer<typeof failureReason>

export const request = z.strictObject({
  token: leaseToken,
  outcome: z.enum(['failed', 'released']),
  reason: failureReason,
  message: z.string().min(1).max(4000),
})
export const response = z.strictObject({ state: z.enum(['failed', 'queued', 'cancelled']) })
