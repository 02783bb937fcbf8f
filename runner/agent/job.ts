/** One leased job from its inputs to its end. */
import type { FailureReason } from '../../schema/protocol/fail.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import type { Progress, StageResult } from '../../schema/result.ts'
import type { StageSpec } from '../../schema/stage.ts'
import type { DataPlaces } from '../home.ts'
import type { Store } from '../store/store.ts'
import { downloadArtifacts, uploadArtifacts } from './artifacts.ts'
import { type Client, RemoteError, UnreachableError } from './client.ts'
import { failureOf } from './failure.ts'
import { type HeldLease, holdLease, JobCancelled, LeaseLost } from './heartbeat.ts'
import { type JobLog, openLog } from './log.ts'
import { runStageProcess } from './stage-process.ts'

/** What a runner tells whoever watches it. */
export type AgentEvent =
  | { kind: 'leased'; key: string; spec: StageSpec }
  | { kind: 'progress'; key: string; progress: Progress }
  | { kind: 'log'; key: string; line: string }
  | { kind: 'done'; key: string; reused: boolean; result: StageResult }
  | { kind: 'failed'; key: string; reason: FailureReason; message: string }
  | { kind: 'released'; key: string; reason: FailureReason }
  | { kind: 'lost'; key: string; message: string }
  | { kind: 'idle'; retryAfterMs: number }
  | { kind: 'trouble'; message: string }

export interface JobContext {
  client: Client
  store: Store
  places: DataPlaces
  threads: number
  /** Aborted when the runner stops. */
  signal: AbortSignal
  emit(event: AgentEvent): void
}

/** Never throws: whatever becomes of the job is told to the server, or the lease runs out. */
export async function runJob(job: Job, context: JobContext): Promise<void> {
  const { client, emit } = context
  const { key } = job
  const onTrouble = (message: string) => emit({ kind: 'trouble', message })
  let progress: Progress | null = null
  const lease = holdLease({ client, job, progress: () => progress, onTrouble })
  const log = openLog({ client, key, lease, onTrouble })
  const say = (line: string) => {
    log.add(line)
    emit({ kind: 'log', key, line })
  }
  const onProgress = (newest: Progress) => {
    progress = newest
    emit({ kind: 'progress', key, progress: newest })
  }
  emit({ kind: 'leased', key, spec: job.spec })
  try {
    const { result, reused } = await compute(job, { ...context, lease, say, onProgress })
    await uploadArtifacts({ client, store: context.store, lease, key, say, onProgress }, result.artifacts)
    await log.close()
    await lease.write((token) => client.finish(key, { token, result }, { retryForMs: job.lease.leaseMs }))
    emit({ kind: 'done', key, reused, result })
  } catch (error) {
    await giveUp(error, job, { ...context, lease, log, say })
  } finally {
    lease.stop()
  }
}

interface Computation extends JobContext {
  lease: HeldLease
  say(line: string): void
  onProgress(progress: Progress): void
}

async function compute(job: Job, context: Computation): Promise<{ result: StageResult; reused: boolean }> {
  const { client, store, places, threads, lease, say, onProgress } = context
  const known = await store.readStage(job.key)
  if (known) {
    say('reused: this runner has computed the stage before')
    return { result: known, reused: true }
  }
  const signal = AbortSignal.any([context.signal, lease.signal])
  for (const artifacts of Object.values(job.inputs)) {
    const fetched = await downloadArtifacts({ client, store, signal, say, onProgress }, artifacts)
    if (fetched > 0) say(`fetched ${fetched} input${fetched === 1 ? '' : 's'}`)
  }
  const { spec, inputs } = job
  return runStageProcess({ spec, inputs, home: store.home, places, threads, signal, onProgress, onLog: say })
}

type Held = JobContext & { lease: HeldLease; log: JobLog; say(line: string): void }

/** Tells the server that there is no result, and why. */
async function giveUp(error: unknown, job: Job, context: Held): Promise<void> {
  const { client, signal, lease, log, say, emit } = context
  const { key } = job
  if (lease.signal.reason instanceof LeaseLost) {
    emit({ kind: 'lost', key, message: lease.signal.reason.message })
    return
  }
  const { outcome, reason, message } = verdict(error, context)
  say(`${outcome}: ${message}`)
  await log.close()
  const body = { outcome, reason, message: message.slice(0, 4000) || reason }
  try {
    // A runner that stops does not wait long for a server that is gone.
    const patience = signal.aborted ? { retryForMs: 3_000, timeoutMs: 10_000 } : { retryForMs: job.lease.leaseMs }
    await lease.write((token) => client.fail(key, { token, ...body }, patience))
  } catch (unsent) {
    emit({ kind: 'trouble', message: `the server was not told that the job ended: ${(unsent as Error).message}` })
  }
  if (outcome === 'released') emit({ kind: 'released', key, reason })
  else emit({ kind: 'failed', key, reason, message })
}

interface Verdict {
  outcome: 'failed' | 'released'
  reason: FailureReason
  message: string
}

/** A stopped runner, a job that nobody wants and a server that cannot be reached are no fault of the job: it is released. */
function verdict(error: unknown, { lease, signal }: Held): Verdict {
  if (lease.signal.reason instanceof JobCancelled) {
    return { outcome: 'released', reason: 'cancelled', message: lease.signal.reason.message }
  }
  if (signal.aborted) return { outcome: 'released', reason: 'interrupted', message: 'the runner was stopped' }
  if (error instanceof UnreachableError) {
    return { outcome: 'released', reason: 'interrupted', message: `the server could not be reached: ${error.message}` }
  }
  if (error instanceof RemoteError) {
    return { outcome: 'failed', reason: 'dependency', message: `the server refused: ${error.message}` }
  }
  const { reason, message } = failureOf(error)
  return { outcome: 'failed', reason, message }
}
