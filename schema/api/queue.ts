/** What waits, what runs, and which runners were heard from. */
import { z } from 'zod'
import { device, progress } from '../result.ts'
import { seed, stageKey, stageKinds } from '../stage.ts'

export const queueJob = z.strictObject({
  key: stageKey,
  kind: z.enum(stageKinds),
  run: z.string(),
  benchmark: z.string(),
  method: z.string(),
  seed,
  /** Null while it waits. */
  runner: z.string().nullable(),
  progress: progress.nullable(),
  /** True while it waits for another job rather than for a runner. */
  blocked: z.boolean(),
  since: z.string(),
})
export type QueueJob = z.infer<typeof queueJob>

export const queue = z.strictObject({
  /** In the order in which they will be leased, at most 200 of each. */
  running: z.array(queueJob),
  waiting: z.array(queueJob),
  counts: z.strictObject({ running: z.int(), waiting: z.int() }),
  runners: z.array(z.strictObject({ name: z.string(), device, lastSeenAt: z.string(), running: z.int() })),
})
export type Queue = z.infer<typeof queue>
