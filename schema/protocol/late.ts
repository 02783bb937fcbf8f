/** Hand in the result of a delivery that ran out and whose job went elsewhere: it is kept as evidence and shown, and changes
 *  no score. */
import { z } from 'zod'
import { jws } from '../signature.ts'

export const path = '/api/v1/jobs/:key/late'
export const request = z.strictObject({ manifest: jws })
export const response = z.strictObject({ state: z.literal('kept') })
