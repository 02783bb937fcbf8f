/** Says what is to be stored under a hash; the answer says how: not at all, as one body, or in the parts that are missing. */
import { z } from 'zod'
import { params } from './upload.ts'

export const path = '/api/v1/artifacts/:sha256/upload'
export const request = z.strictObject({ bytes: z.int().min(0) })
export const response = z.discriminatedUnion('kind', [
  /** The bytes are there already. */
  z.strictObject({ kind: z.literal('stored') }),
  z.strictObject({ kind: z.literal('whole') }),
  z.strictObject({
    kind: z.literal('parts'),
    /** Size of every part but the last. */
    partBytes: z.int(),
    /** Parts that an earlier attempt left, counted from 1. */
    stored: z.array(z.int()),
  }),
])

export { params }
