/** How a runner ends a job: with its result, or without one and why. */
import type { FailureReason } from '../../schema/protocol/fail.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import type { WholeLog } from '../../schema/protocol/log.ts'
import type { StageResult } from '../../schema/result.ts'
import { localFaultOf } from '../store/local-fault.ts'
import { beganFrom } from './began.ts'
import { RemoteError, UnreachableError } from './client.ts'
import { failureOf } from './failure.ts'
import { type HeldLease, JobCancelled, LeaseLost } from './heartbeat.ts'
import type { JobContext } from './job-context.ts'
import type { JobLog } from './log.ts'
import { signedManifest } from './manifest.ts'

export type Held = JobContext & {
  job: Job
  /** What this runner keeps the job's result and checkpoint under. */
  computation: Promise<string>
  lease: HeldLease
  log: JobLog
  say(line: string): void
  /** Aborted once the job has ended for this runner. */
  over: AbortSignal
}

/** What a stopped runner still waits for a server that does not answer. */
const STOPPING_MS = 10_000

/** Ends the job with its result, which is worth waiting for a server that is away. */
export const handIn = (key: string, result: StageResult, held: Held) => {
  const patience = { signal: laterThan(held.signal, STOPPING_MS, held.over), retryForMs: Number.POSITIVE_INFINITY }
  return endWith(held, async (token, log) =>
    held.client.finish(key, token, { manifest: await manifestOf(held, result, log) }, patience),
  )
}

const manifestOf = async ({ identity, job, computation, lease, store }: Held, result: StageResult, log: WholeLog) => {
  const began = await beganFrom(store.home, await computation)
  return signedManifest(identity, job, { attempt: lease.attempt(), log, began, result })
}

/** Sends the rest of the log and then the end. The log of a reclaimed job begins anew, and a chunk may have been lost on its
 *  way: then the end is refused, and all of it is tried again. */
async function endWith({ lease, log }: Held, end: (token: string, whole: WholeLog) => Promise<unknown>): Promise<void> {
  for (;;) {
    const whole = await log.settle()
    try {
      await lease.write((token) => end(token, whole))
      return
    } catch (error) {
      if (!log.resume(error)) throw error
    }
  }
}

/** Someone else has the job: the result is evidence only, so one try is enough. */
export async function handInLate(key: string, result: StageResult, held: Held): Promise<void> {
  const { client, log, emit } = held
  try {
    await client.late(key, { manifest: await manifestOf(held, result, log.sum()) }, { retryForMs: STOPPING_MS })
  } catch (error) {
    emit({ kind: 'trouble', message: `the late result was not kept: ${(error as Error).message}` })
  }
}

/** Aborted `ms` after the other one, if that happens before the job is over. */
function laterThan(signal: AbortSignal, ms: number, over: AbortSignal): AbortSignal {
  const controller = new AbortController()
  const abort = () => setTimeout(() => controller.abort(signal.reason), ms).unref()
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true, signal: over })
  return controller.signal
}

/** Tells the server that there is no result, and why. */
export async function giveUp(error: unknown, job: Job, context: Held): Promise<void> {
  const { client, signal, lease, say, emit } = context
  const { key } = job
  if (lease.signal.reason instanceof LeaseLost) {
    emit({ kind: 'lost', key, message: lease.signal.reason.message })
    return
  }
  const { outcome, reason, message } = verdict(error, context)
  say(`${outcome}: ${message}`)
  const body = { outcome, reason, message: message.slice(0, 4000) || reason }
  // A runner that stops does not wait long for a server that is gone.
  const patience = signal.aborted ? { retryForMs: 3_000, timeoutMs: 10_000 } : { retryForMs: job.lease.leaseMs }
  const tell = (token: string, log: WholeLog | null) => client.fail(key, token, { ...body, log }, patience)
  try {
    await endWith(context, tell).catch((error: unknown) => {
      if (lease.signal.reason instanceof LeaseLost) throw error
      emit({ kind: 'trouble', message: `log not sent: ${(error as Error).message}` })
      return lease.write((token) => tell(token, null))
    })
  } catch (unsent) {
    emit({ kind: 'trouble', message: `the server was not told that the job ended: ${(unsent as Error).message}` })
  }
  if (outcome === 'released') emit({ kind: 'released', key, reason })
  else emit({ kind: 'failed', key, reason, message })
}

/** The server saw that the result cannot be one: the same again would be refused again. */
export const isRefused = (error: unknown): error is RemoteError =>
  error instanceof RemoteError && error.code === 'invalid_result'

interface Verdict {
  outcome: 'failed' | 'released'
  reason: FailureReason
  message: string
}

/** A stopped runner, a fault of its machine, a job that nobody wants, a server that cannot be reached and inputs that will not do
 *  are no fault of the job: it is released. */
function verdict(error: unknown, { lease, signal }: Held): Verdict {
  if (lease.signal.reason instanceof JobCancelled) {
    return { outcome: 'released', reason: 'cancelled', message: lease.signal.reason.message }
  }
  if (signal.aborted) return { outcome: 'released', reason: 'interrupted', message: 'the runner was stopped' }
  const fault = localFaultOf(error)
  if (fault) return { outcome: 'released', reason: 'interrupted', message: `the runner stops: ${fault.message}` }
  if (error instanceof UnreachableError) {
    return { outcome: 'released', reason: 'interrupted', message: `the server could not be reached: ${error.message}` }
  }
  if (isRefused(error)) {
    return { outcome: 'failed', reason: 'invalid_result', message: `the server refused the result: ${error.message}` }
  }
  if (error instanceof RemoteError) {
    return { outcome: 'failed', reason: 'dependency', message: `the server refused: ${error.message}` }
  }
  const { reason, message } = failureOf(error)
  // Who computed it is to blame, if anyone; the server has a look.
  return { outcome: reason === 'input' ? 'released' : 'failed', reason, message }
}
