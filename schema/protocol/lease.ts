/** Ask for a job. The answer holds everything the runner needs to begin, or how long to wait. */
import { z } from 'zod'
import { artifactRef, device } from '../result.ts'
import { stageKey, stageSpec } from '../stage.ts'

export const path = '/api/v1/jobs/lease'
export const request = z.strictObject({ runner: z.string().min(1).max(80), device })

/** The fencing token: it changes on every renewal, and every write about the job carries the newest one. */
export const leaseToken = z.string().regex(/^[0-9a-f]{32}$/)

export const lease = z.strictObject({
  token: leaseToken,
  /** The lease ends this long after the answer was made. */
  leaseMs: z.int(),
  renewEveryMs: z.int(),
})

export const job = z.strictObject({
  key: stageKey,
  spec: stageSpec,
  /** Artifacts of each input stage, by stage key and then by name. */
  inputs: z.record(stageKey, z.record(z.string(), artifactRef)),
  lease,
})
export type Job = z.infer<typeof job>

export const response = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('job'), job }),
  z.strictObject({ kind: z.literal('none'), retryAfterMs: z.int() }),
])
