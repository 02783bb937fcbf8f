/** Runners as admins see and change them. */
import { z } from 'zod'
import { probe } from '../probe.ts'
import { runnerId, runnerName } from '../protocol/enrol.ts'
import { runnerStates } from '../protocol/lease.ts'
import { label } from '../requirements.ts'
import { fingerprint, publicKey } from '../signature.ts'
import { stageKey } from '../stage.ts'
import { publicReason } from './submission.ts'

export const labels = z
  .array(label)
  .max(20)
  .transform((words) => [...new Set(words)].sort())

export const runner = z.strictObject({
  id: runnerId,
  name: runnerName,
  state: z.enum(runnerStates),
  /** Why the server paused it by itself; null where it did not. */
  pauseReason: z.string().nullable(),
  labels,
  publicKey,
  fingerprint,
  /** What it can do; null until it first asked for work. */
  probe: probe.nullable(),
  enrolledAt: z.string(),
  lastSeenAt: z.string().nullable(),
  /** Keys of the jobs that it holds. */
  jobs: z.array(stageKey),
})
export type Runner = z.infer<typeof runner>

export const runnerList = z.strictObject({ runners: z.array(runner) })

/** What becomes of the results of a runner that is revoked. */
export const revokeRunner = z.strictObject({
  /** `set-aside`: they count no more, and their stages are computed anew by others. `keep`: for a machine that merely retires. */
  results: z.enum(['set-aside', 'keep']).default('set-aside'),
  /** Everybody reads it beside the results. */
  reason: publicReason.default('the runner that computed it was revoked'),
})

/** Only what is given changes. A runner that was revoked stays so. */
export const changeRunner = z
  .strictObject({ name: runnerName, labels, state: z.enum(['active', 'paused', 'draining']) })
  .partial()
  .refine((change) => Object.keys(change).length > 0, 'expected at least one of name, labels, state')
  .meta({ minProperties: 1 })
