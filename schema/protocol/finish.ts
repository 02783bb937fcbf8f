/** End a job with its result, as a manifest (schema/protocol/manifest.ts) that the runner signed. Every artifact named must have been
 *  uploaded before, and all of the log sent. Refused with `invalid_result` where a file is not what its name says,
 *  evidence is not of the examples that the stage asks for, or a metric is not what the evidence gives. The same request sent again gets the same answer. */
import { z } from 'zod'
import { jws } from '../signature.ts'

export const path = '/api/v1/jobs/:key/finish'
export const request = z.strictObject({ manifest: jws })
export const response = z.strictObject({ state: z.literal('done') })
