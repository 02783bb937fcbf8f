/** Append to a job's log. A chunk that leaves a gap is refused with the offset that was expected. */
import { z } from 'zod'
import { leaseToken } from './lease.ts'

export const path = '/api/v1/jobs/:key/log'
/** A log holds no more: later lines are left out, and the log says so. */
export const MAX_LOG_BYTES = 16 * 1024 * 1024

export const request = z.strictObject({
  token: leaseToken,
  /** Length in UTF-8 bytes of the log before this chunk. */
  offset: z.int().min(0),
  text: z
    .string()
    .min(1)
    .max(64 * 1024),
})
export const response = z.strictObject({ offset: z.int() })
