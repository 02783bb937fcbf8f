/** Go on with a job whose lease ran out, as long as nobody else was given it: a new delivery to the same runner. Its log
 *  begins anew. */
import { z } from 'zod'
import { lease, nonce } from './lease.ts'

export const path = '/api/v1/jobs/:key/reclaim'
export const request = z.strictObject({
  /** The delivery that ran out. */
  attempt: z.int().min(1),
  nonce,
})
export const response = z.strictObject({ lease })
