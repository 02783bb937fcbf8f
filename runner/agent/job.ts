/** One leased job from its inputs to its end. */
import type { RunnerState } from '../../schema/api/runner.ts'
import type { FailureReason } from '../../schema/protocol/fail.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import type { WholeLog } from '../../schema/protocol/log.ts'
import type { Progress, StageResult } from '../../schema/result.ts'
import type { StageSpec } from '../../schema/stage.ts'
import type { DataPlaces } from '../home.ts'
import type { Store } from '../store/store.ts'
import { downloadArtifacts, uploadArtifacts } from './artifacts.ts'
import { fetchCheckpoint, keepCheckpoints } from './checkpoints.ts'
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
  | { kind: 'standing'; standing: RunnerState }
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
    log.progress(newest)
    emit({ kind: 'progress', key, progress: newest })
  }
  emit({ kind: 'leased', key, spec: job.spec })
  const held: Held = { ...context, lease, log, say }
  let result: StageResult | null = null
  try {
    const computed = await compute(job, { ...held, onProgress, onTrouble })
    result = computed.result
    const { store } = context
    const { signal } = lease
    await uploadArtifacts({ client, store, lease, signal, say, onProgress }, result.artifacts)
    await handIn(key, result, held)
    emit({ kind: 'done', key, reused: computed.reused, result })
  } catch (error) {
    await giveUp(error, job, held)
    if (result && lease.signal.reason instanceof LeaseLost) await handInLate(key, result, held)
  } finally {
    lease.stop()
    log.close()
  }
}

/** What a stopped runner still waits for a server that does not answer. */
const STOPPING_MS = 10_000

/** Ends the job with its result, which is worth waiting for a server that is away. */
const handIn = (key: string, result: StageResult, held: Held) => {
  const patience = { signal: laterThan(held.signal, STOPPING_MS), retryForMs: Number.POSITIVE_INFINITY }
  return endWith(held, (token, log) => held.client.finish(key, token, { result, log }, patience))
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
async function handInLate(key: string, result: StageResult, { client, lease, emit }: Held): Promise<void> {
  try {
    await client.late(key, { attempt: lease.attempt(), result }, { retryForMs: STOPPING_MS })
  } catch (error) {
    emit({ kind: 'trouble', message: `the late result was not kept: ${(error as Error).message}` })
  }
}

/** Aborted `ms` after the other one. */
function laterThan(signal: AbortSignal, ms: number): AbortSignal {
  const controller = new AbortController()
  const abort = () => setTimeout(() => controller.abort(signal.reason), ms).unref()
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  return controller.signal
}

type Held = JobContext & { lease: HeldLease; log: JobLog; say(line: string): void }

/** What a stopped runner takes at most to send where its stage stands. */
const LAST_CHECKPOINT_MS = 30_000

interface Computation extends Held {
  onProgress(progress: Progress): void
  onTrouble(message: string): void
}

async function compute(job: Job, context: Computation): Promise<{ result: StageResult; reused: boolean }> {
  const { client, store, places, threads, lease, say, onProgress, onTrouble } = context
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
  const { checkpointEveryMs } = job.lease
  await fetchCheckpoint(job, { client, store, signal, say, onProgress })
  const keeper = keepCheckpoints(job, { client, store, lease, signal: lease.signal, say, onProgress, onTrouble })
  try {
    const order = { spec, inputs, home: store.home, places, threads, checkpointEveryMs }
    return await runStageProcess({ ...order, signal, onProgress, onLog: say })
  } catch (error) {
    if (context.signal.aborted && !lease.signal.aborted) await keeper.last(AbortSignal.timeout(LAST_CHECKPOINT_MS))
    throw error
  } finally {
    keeper.stop()
  }
}

/** Tells the server that there is no result, and why. */
async function giveUp(error: unknown, job: Job, context: Held): Promise<void> {
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
