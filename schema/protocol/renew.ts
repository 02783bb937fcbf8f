/** Keep a lease and report progress; the answer carries the next fencing token. */
import { z } from 'zod'
import { progress } from '../result.ts'
import { lease, nonce } from './lease.ts'

export const path = '/api/v1/jobs/:key/renew'
export const request = z.strictObject({
  /** The same for every try to renew one token. */
  nonce,
  progress: progress.nullable(),
})
export const response = z.strictObject({
  lease,
  /** True once nobody wants the result any more: stop, then release. */
  cancel: z.boolean(),
})
