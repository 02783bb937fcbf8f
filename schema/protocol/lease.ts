/** Ask for a job. The answer holds everything the runner needs to begin, or how long to wait. */
import { z } from 'zod'
import { probe } from '../probe.ts'
import { artifactRef } from '../result.ts'
import { jws } from '../signature.ts'
import { stageKey, stageSpec } from '../stage.ts'
import { storedCheckpoint } from './checkpoint.ts'
import { runnerId } from './enrol.ts'

export const path = '/api/v1/jobs/lease'

/** Active: gets jobs. Paused: gets none until it is resumed. Draining: gets none and ends once idle. Revoked: refused for good. */
export const runnerStates = ['active', 'paused', 'draining', 'revoked'] as const
export type RunnerState = (typeof runnerStates)[number]

/** Made up by the runner for each request that gives it a token: the same request sent twice gives the same token, so an
 *  answer that was lost, or a request that was doubled, costs nothing. */
export const nonce = z.string().regex(/^[0-9a-f]{32}$/, 'expected 32 lower-case hex digits')

export const request = z.strictObject({
  probe,
  nonce,
  /** What the runner speaks (version.ts). */
  protocol: z.int().min(1).default(1),
  /** What it can compute (schema/engine.ts): it is given jobs of these engines only. */
  engines: z.array(z.string().min(1).max(60)).max(50).default([]),
  /** How many stages it runs at a time: it holds no more leases than that. */
  stagesAtOnce: z.int().min(1).max(64).default(1),
})

export type LeaseRequest = z.infer<typeof request>

/** The fencing token, sent as `Authorization: Bearer`: it names one delivery of one job, changes on every renewal, and every
 *  write about the job carries the newest one. */
export const jobToken = z.string().regex(/^pal_job_[0-9a-f]{32}$/)

export const lease = z.strictObject({
  token: jobToken,
  /** Which delivery of the job this is, counted from 1. */
  attempt: z.int().min(1),
  /** The lease ends this long after the answer was made. */
  leaseMs: z.int(),
  renewEveryMs: z.int(),
  /** A stage that lasts longer leaves a checkpoint this often. */
  checkpointEveryMs: z.int(),
  /** A stage that takes longer fails with the reason `timeout`. */
  stageTimeoutMs: z.int(),
})
export type Lease = z.infer<typeof lease>

/** What to do. The server signs it for one runner, which verifies it against the key that it pinned when it enrolled. */
export const order = z.strictObject({
  key: stageKey,
  runner: runnerId,
  spec: stageSpec,
  /** Artifacts of each input stage, by stage key and then by name. */
  inputs: z.record(stageKey, z.record(z.string(), artifactRef)),
  /** What an earlier delivery left of a long stage. */
  checkpoint: storedCheckpoint.nullable(),
  /** What to compute of the evidence of an `evaluate` stage, as benchmarks name it; empty for other stages. */
  metrics: z.array(z.string()),
})
export type Order = z.infer<typeof order>
/** An order with the right to write about it. */
export interface Job extends Order {
  lease: Lease
}

export const response = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('job'), key: stageKey, order: jws, lease }),
  /** An admin may have paused the runner, or asked it to drain: to end by itself. */
  z.strictObject({
    kind: z.literal('none'),
    retryAfterMs: z.int(),
    standing: z.enum(runnerStates),
    /** Why the server itself paused it, where no admin did. */
    pauseReason: z.string().optional(),
  }),
])
