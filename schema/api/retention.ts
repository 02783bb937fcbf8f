/** What retention removes, or would remove. */
import { z } from 'zod'

export const applyRetention = z.strictObject({
  /** Only tell what would be removed. */
  dryRun: z.boolean().default(true),
})

/** `job`: result, artifacts and logs of a job that no run wants any more. `upload`: parts of an upload that was given up.
 *  `checkpoint`: of a job that has ended. `artifact`: bytes that nothing names. `stray`: an object in R2 that no row knows. */
export const removedKinds = ['job', 'upload', 'checkpoint', 'artifact', 'stray'] as const

export const removed = z.strictObject({
  kind: z.enum(removedKinds),
  /** A stage key, a SHA-256 or a path in R2. */
  id: z.string(),
  /** What this entry frees; the artifacts of a job are entries of their own. */
  bytes: z.int(),
})
export type Removed = z.infer<typeof removed>

export const retentionReport = z.strictObject({
  dryRun: z.boolean(),
  at: z.string(),
  removed: z.array(removed),
  totals: z.partialRecord(z.enum(removedKinds), z.strictObject({ count: z.int(), bytes: z.int() })),
  /** True when there was more of a kind than is removed at once: the next run goes on. */
  more: z.boolean(),
})
export type RetentionReport = z.infer<typeof retentionReport>
