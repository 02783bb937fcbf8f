/** Append to a delivery's log and report progress. A chunk that leaves a gap is refused with the sequence and offset that were
 *  expected; one that is there already is accepted again. */
import { z } from 'zod'
import { sha256 } from '../parts/hash.ts'
import { progress } from '../result.ts'

export const path = '/api/v1/jobs/:key/log'

/** UTF-8 bytes of a whole log; the runner leaves out what comes after and says so in the last line. */
export const MAX_LOG_BYTES = 16 * 1024 * 1024
export const MAX_CHUNK_CHARACTERS = 64 * 1024

export const request = z.strictObject({
  /** Number of the chunk, counted from 0. */
  sequence: z.int().min(0),
  /** Length in UTF-8 bytes of the log before this chunk. */
  offset: z.int().min(0),
  /** Of the UTF-8 bytes of `text`. */
  sha256,
  /** Empty where only progress is new: such a chunk is not stored and takes no number. */
  text: z.string().max(MAX_CHUNK_CHARACTERS),
  progress: progress.optional(),
})
/** What the next chunk must carry. */
export const response = z.strictObject({ sequence: z.int(), offset: z.int() })

/** `details` of the error `log_gap`. */
export const gap = z.object({ expectedSequence: z.int(), expectedOffset: z.int() })

/** The whole log of a delivery, as the runner wrote it. */
export const wholeLog = z.strictObject({ bytes: z.int().min(0), sha256 })
export type WholeLog = z.infer<typeof wholeLog>
